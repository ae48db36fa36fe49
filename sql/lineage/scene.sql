select * from scene where shard = $shard and scene = $scene
