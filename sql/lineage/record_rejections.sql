-- Scenes of some shards ($shards) that an asset rejected, or that were rejected upstream of it.
select asset, shard, scene, status, reason from record where status <> 'done' and shard in (select unnest($shards))
