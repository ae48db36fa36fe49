-- Content hashes of what some assets ($assets) made for the scenes of some shards ($shards) that they finished: of each
-- table or kind of file and shard a row.
select name, shard, list(scene) as scenes, list(hash) as hashes from (
    select unnest(map_keys(outputs)) as name, shard, scene, unnest(map_values(outputs)) as hash from record
    where status = 'done' and list_contains($assets, asset) and shard in (select unnest($shards))
) group by name, shard
