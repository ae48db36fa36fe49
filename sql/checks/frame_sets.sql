-- Sets of frames that are none. Each row: severity, shard, scene, problem.
select 'ERROR' as severity, shard, scene, 'frame ' || frame || ' of ' || name || ' is not a frame of the scene' as problem
from frame_sets anti join frames using (shard, scene, frame)
union all
select 'ERROR', shard, scene, name || ' has frame ' || frame || ' ' || count(*) || ' times'
from frame_sets group by shard, scene, name, frame having count(*) > 1
union all
select 'ERROR', shard, scene, name || ' has ' || count(*) || ' frames and says ' || any_value(s.frames)
from frame_sets f join frame_sets_shown s using (shard, scene, name)
group by shard, scene, name having count(*) <> any_value(s.frames)
union all
select 'ERROR', s.shard, s.scene, s.name || ' shows more than all frames do'
from frame_sets_shown s join frame_sets_shown a on a.shard = s.shard and a.scene = s.scene and a.name = 'all'
where s.cells > a.cells
order by all
