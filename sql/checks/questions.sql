-- Questions of some tasks ($tasks): counts that do not add up, and answers that cannot be right.
-- Each row: severity, shard, scene, problem, task.
with counted as (
    select q.asset as task, q.shard, q.scene, q.format, q.candidates, q.kept, q.quota,
           coalesce(sum(r.count), 0) as rejected,
           coalesce(sum(r.count) filter (r.reason = 'over_quota'), 0) as over_quota
    from quality q
    left join rejects r
      on r.shard = q.shard and r.scene = q.scene and r.asset = q.asset and r.format = q.format
    where list_contains($tasks, q.asset)
    group by all
)
select 'ERROR' as severity, shard, scene,
       format || ': ' || candidates || ' candidates, ' || kept || ' kept, ' || rejected || ' rejected' as problem, task
from counted where candidates <> kept + rejected
union all
select 'ERROR', shard, scene, format || ': ' || over_quota || ' over a quota that is not full', task
from counted where kept < quota and over_quota > 0
union all
select 'ERROR', c.shard, c.scene, c.format || ': counts ' || c.kept || ' rows, holds ' || count(a.qa_id), c.task
from counted c left join (from questions where twin_of is null) a using (task, shard, scene, format)
group by c.task, c.shard, c.scene, c.format, c.kept having c.kept <> count(a.qa_id)
union all
select 'ERROR', shard, min(scene), qa_id || ' stands ' || count(*) || ' times', task
from questions group by task, shard, qa_id having count(*) > 1
union all
select 'ERROR', shard, scene, qa_id || ': nothing is between its answer and another', task
from questions where margin <= 0
union all
select 'ERROR', shard, scene, qa_id || ': a placeholder is left in its text', task
from questions where regexp_matches(question || answer, '[{}]')
union all
select 'ERROR', shard, scene, qa_id || ': its text is not whole: stem, options and instruction', task
from questions
where not starts_with(question, stem) or not ends_with(question, coalesce(instruction, ''))
   or (instruction is null and format in ('fill', 'select', 'judge'))
union all
select 'ERROR', shard, scene, qa_id || ': its text does not print option ' || letter, task
from (
    select task, shard, scene, qa_id, question, unnest(options) as option,
           chr(ascii('A') - 1 + generate_subscripts(options, 1)::int) as letter
    from questions
)
where not contains(question, letter || '. ' || option)
union all
select 'ERROR', shard, scene, qa_id || ': its options do not hold one answer', task
from questions
where format = 'select'
  and (options is null or len(options) <> len(list_distinct(options))
       or answer not in ('A', 'B', 'C', 'D') or ascii(answer) - ascii('A') >= len(options))
union all
select 'ERROR', shard, scene, qa_id || ': shows frame ' || frame || ', which the scene does not have', task
from (select task, shard, scene, qa_id, unnest(frames).frame as frame from questions)
anti join frames using (shard, scene, frame)
union all
select 'ERROR', shard, scene, qa_id || ': asks about object ' || instance || ', which the scene does not have', task
from (select task, shard, scene, qa_id, unnest(objects).instance as instance from questions)
anti join objects using (shard, scene, instance)
order by all
