-- Files that cannot be right. Each row: severity, shard, scene, problem.
select 'WARN' as severity, shard, scene, detail as problem
from rejects where asset = 'sources'
union all
select 'ERROR', shard, scene, path || ' is empty'
from sources where bytes = 0
union all
select 'ERROR', shard, scene, path || ' has no hash of its bytes'
from sources where length(sha256) <> 64
order by all
