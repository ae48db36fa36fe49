-- Input hashes of all records of some shards ($shards), an asset and shard a row.
select asset, shard, list(scene order by scene) as scenes, list(input_hash order by scene) as hashes
from record where shard in (select unnest($shards)) group by asset, shard
