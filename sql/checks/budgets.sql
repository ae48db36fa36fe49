-- Verdicts about questions that contradict themselves. Each row: severity, shard, scene, problem.
select 'ERROR' as severity, shard, scene, task || ' ' || qa_id || ' at ' || budget || ': holds and cannot be answered' as problem
from budgets where holds and not answerable
union all
select 'ERROR', shard, scene, task || ' ' || qa_id || ' at ' || budget || ': nothing says why'
from budgets where holds <> (reason is null)
union all
select 'ERROR', shard, scene, task || ' ' || qa_id || ' at ' || budget || ': has no answer'
from budgets where answerable and answer is null
union all
select 'ERROR', b.shard, b.scene, b.task || ' ' || b.qa_id || ' is no question'
from budgets b anti join questions q on q.shard = b.shard and q.scene = b.scene and q.qa_id = b.qa_id
union all
select 'ERROR', shard, scene, task || ' ' || qa_id || ': shows ' || len(frames) || ' frames and says ' || shown
from budgets where frames is not null and len(frames) <> shown
order by all
