-- How every asset's rows of a scene came about ($shard, $scene).
select * from record where shard = $shard and scene = $scene
