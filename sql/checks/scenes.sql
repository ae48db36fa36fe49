-- Scenes that were rejected, and what no scene can be. Each row: severity, shard, scene, problem.
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
union all
select 'WARN', shard, scene, 'region ' || region || ' (' || kind || '): ' || doubt
from regions where doubt is not null
union all
select 'ERROR', shard, scene, 'path ' || instruction_id || ' of ' || collection || ' has steps that are none of its viewpoints'
from navigation_paths
where len(viewpoints) < 2 or len(lengths) <> len(viewpoints) - 1 or len(headings) <> len(lengths)
   or len(views) <> len(lengths)
union all
select 'ERROR', shard, scene, 'path ' || instruction_id || ' of ' || collection || ' is shorter than the shortest way'
from navigation_paths where length < shortest - 0.001
union all
select 'WARN', shard, scene, 'object ' || reference_instance || ' of ' || reference || ' is said to be ' || change
  || ', and the objects of the two scans do not bear it out'
from object_changes where evidence = 'disagrees'
union all
select 'ERROR', ways.shard, ways.scene, 'one can walk from ' || ways.start || ' to ' || ways.goal || ' and not back'
from (select shard, scene, viewpoint as start, unnest(reachable) as goal from viewpoints) as ways
anti join (select shard, scene, viewpoint as goal, unnest(reachable) as start from viewpoints) as back
  on ways.shard = back.shard and ways.scene = back.scene and ways.start = back.start and ways.goal = back.goal
order by all
