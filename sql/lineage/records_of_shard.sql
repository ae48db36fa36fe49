-- What the records of a shard ($shard) were made from, to tell why one is stale.
select asset, scene, code_version, parameters, inputs, seconds from record where shard = $shard
