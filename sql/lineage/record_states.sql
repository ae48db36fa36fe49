-- What staleness needs of every record.
select asset, shard, scene, status, reason, input_hash, seconds from record
