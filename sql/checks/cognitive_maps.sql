-- Objects that lie outside the map. Each row: severity, shard, scene, problem.
select 'ERROR' as severity, shard, scene, 'object ' || instance || ' in cell ' || cell_x || ', ' || cell_y as problem
from cognitive_maps where cell_x not between 0 and 9 or cell_y not between 0 and 9
union all
select 'ERROR', shard, scene, 'object ' || instance || ' does not lie in its own cell'
from cognitive_maps
where x not between cell_x and cell_x + 1 or y not between cell_y and cell_y + 1 or margin < 0
union all
select 'ERROR', shard, scene, 'object ' || instance || ' is not an object of the scene'
from cognitive_maps anti join objects using (shard, scene, instance)
order by all
