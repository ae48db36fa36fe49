-- Input hashes of all records, an asset and shard a row.
select asset, shard, list(scene order by scene) as scenes, list(input_hash order by scene) as hashes
from record group by asset, shard
