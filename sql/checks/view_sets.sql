-- Sets and diagnostics that cannot be. Each row: severity, shard, scene, problem.
select 'ERROR' as severity, shard, scene, 'set ' || view_set || ': its numbers of views, frames and pairs differ' as problem
from view_sets
where len(frames) != views or len(list_distinct(frames)) != views or len(overlap_pairs) != views * (views - 1) // 2
union all
select 'ERROR', shard, scene, 'set ' || view_set || ': an overlap outside 0 to 100 percent, or not what they average to'
from view_sets
where list_min(overlap_pairs) < 0 or list_max(overlap_pairs) > 100 or abs(list_avg(overlap_pairs) - overlap_avg) > 1e-9
union all
select 'ERROR', shard, scene, 'set ' || view_set || ' holds ' || frame || ', which is no keyframe'
from (select shard, scene, view_set, unnest(frames) as frame from view_sets)
anti join (select shard, scene, frame from keyframes where "set" = 'keyframes') using (shard, scene, frame)
union all
select 'ERROR', shard, scene, 'set ' || view_set || ', object ' || instance || ': not as many entries as views'
from view_set_objects join view_sets using (shard, scene, view_set)
where len(visible_px) != views or len(occlusion) != views or len(truncation) != views or len(shown) != views
union all
select 'ERROR', shard, scene, 'set ' || view_set || ', object ' || instance || ': a share outside 0 to 1'
from view_set_objects
where list_min(list_concat(occlusion, truncation, shown)) < 0
   or list_max(list_concat(occlusion, truncation, shown)) > 1
   -- Sums of the same areas in another order may differ in their last digits.
   or shown_union > 1 + 1e-9 or shown_union < list_max(shown) - 1e-9 or shown_union > list_sum(shown) + 1e-9
union all
select 'ERROR', shard, scene, 'set ' || view_set || ', object ' || instance || ': parts that are not what its views show'
from view_set_objects
where len(shown_parts) != (1 << len(shown)) - 1 or list_min(shown_parts) < 0 or abs(list_sum(shown_parts) - shown_union) > 1e-9
union all
select 'ERROR', shard, scene, 'set ' || view_set || ', object ' || instance || ': seen in ' || seen || ' of its views'
from view_set_objects
where seen != case views_with when len(visible_px) then 'all' when 1 then 'one' when 0 then 'none' else 'some' end
union all
select 'ERROR', shard, scene, 'object ' || instance || ' of set ' || view_set || ' is not an object of the scene'
from view_set_objects anti join objects using (shard, scene, instance)
order by all
