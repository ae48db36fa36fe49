-- Content hashes of what assets made for the scenes of some shards ($shards) that they finished: a row of each shard and
-- table or kind of file, of those that $names lists, each by the asset in its place in $assets that writes it today.
select name, shard, list(scene) as scenes, list(hash) as hashes from (
    select unnest(map_keys(outputs)) as name, asset, shard, scene, unnest(map_values(outputs)) as hash from record
    where status = 'done' and list_contains($assets, asset) and shard in (select unnest($shards))
) join (select unnest($names) as name, unnest($assets) as asset) using (name, asset) group by name, shard
