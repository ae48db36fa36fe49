-- Content hashes of what some assets ($assets) made, for the scenes of some shards ($shards) that they finished.
select shard, scene, outputs from record where status = 'done' and list_contains($assets, asset)
      and shard in (select unnest($shards))
