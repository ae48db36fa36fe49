-- Shares that cannot be, and pairs the wrong way round. Each row: severity, shard, scene, problem.
select 'ERROR' as severity, shard, scene,
       'frames ' || frame_a || ' and ' || frame_b || ': a share outside 0 to 1' as problem
from overlap
where overlap not between 0 and 1 or overlap_instances not between 0 and 1 or overlap = 0
union all
select 'ERROR', o.shard, o.scene, 'frames ' || frame_a || ' and ' || frame_b || ' are not in order'
from overlap o
join frames a on a.shard = o.shard and a.scene = o.scene and a.frame = o.frame_a
join frames b on b.shard = o.shard and b.scene = o.scene and b.frame = o.frame_b
where a.position >= b.position
order by all
