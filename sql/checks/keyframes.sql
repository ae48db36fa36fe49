-- Counts that do not add up, and filters that do not filter. Each row: severity, shard, scene, problem.
with counted as (
    select q.shard, q.scene, q.candidates, q.kept, coalesce(sum(r.count), 0) as rejected
    from quality q left join rejects r using (shard, scene, asset)
    where q.asset = 'keyframes' and q.format = 'frames'
    group by all
)
select 'ERROR' as severity, shard, scene,
       candidates || ' frames in, ' || kept || ' kept, ' || rejected || ' redundant' as problem
from counted where candidates <> kept + rejected
union all
-- A hand-held sequence at video rate loses nine frames in ten; half of a hundred is still a sequence.
select 'WARN', shard, scene, 'only ' || rejected || ' of ' || candidates || ' frames are redundant'
from counted where candidates >= 100 and rejected < 0.5 * candidates
union all
select 'ERROR', shard, scene, 'frame ' || frame || ' of set ' || set || ' is not a frame of the scene'
from keyframes anti join frames using (shard, scene, frame)
order by all
