select * from record where asset = $asset and shard = $shard and scene = $scene
