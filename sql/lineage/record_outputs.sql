-- Content hashes of what some assets ($assets) made, for the scenes that they finished.
select shard, scene, outputs from record where status = 'done' and list_contains($assets, asset)
