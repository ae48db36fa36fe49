-- One row an asset, shard and run: its scenes, and what they were made from and into.
select asset, shard, run_id, min(started) as started, max(ended) as ended,
       any_value(code_version order by scene) as code_version, any_value("commit" order by scene) as "commit",
       any_value(parameters order by scene) as parameters, any_value(host order by scene) as host,
       any_value(versions order by scene) as versions,
       list(scene order by scene) as scenes, list(inputs order by scene) as inputs,
       list(outputs order by scene) as outputs, list(rows order by scene) as rows
from record
group by asset, shard, run_id
order by started, asset, shard, run_id
