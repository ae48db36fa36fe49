-- Twins of some tasks ($tasks) with the questions that they ask once more; nulls where there is no such question.
select t.task, t.shard, t.scene, t.qa_id, t.law, t.twin_of, q.format,
       q.value as first_value, q.answer as first_answer, q.options as first_options,
       t.value as twin_value, t.answer as twin_answer, t.options as twin_options
from questions t
left join questions q on q.task = t.task and q.shard = t.shard and q.scene = t.scene and q.qa_id = t.twin_of
where t.twin_of is not null and list_contains($tasks, t.task)
order by t.task, t.shard, t.scene, t.qa_id
