-- Scenes that were refused, and what no scene can be. Each row: severity, shard, scene, problem.
select 'WARN' as severity, shard, scene, detail as problem
from rejects where asset = 'scenes' and reason <> 'lost_pose'
union all
select 'ERROR', shard, '', 'no scene of this shard could be read'
from quality where asset = 'scenes'
group by shard having bool_and(format = 'scenes')
union all
select 'ERROR', shard, scene, 'object ' || instance || ' (' || label || ') has no size'
from objects where list_max(size) <= 0 or list_min(size) < 0
union all
select 'ERROR', shard, scene, 'frame ' || frame || ' has a camera that is no pinhole'
from frames where intrinsics[1] <= 0 or intrinsics[5] <= 0 or width <= 0 or height <= 0
union all
select 'ERROR', scenes.shard, scenes.scene, 'says it has posed images, and has no frames'
from scenes where list_contains(facts, 'poses') and frames = 0
order by all
