-- Questions that differ between two sets of rows, `former` and `latter`. Content is a hash of all columns but
-- the split: two rows of one id that differ have the same in one of 10^19 cases, and take a tenth of the memory.
-- Rows of the lake have no split, and so do not move.
with paired as (
    select coalesce(a.qa_id, b.qa_id) as qa_id,
           coalesce(a.task, b.task) as task,
           coalesce(b.dataset, a.dataset) as dataset,
           coalesce(b.scene, a.scene) as scene,
           a.split as old_split, b.split as new_split, a.qa_id is null as is_new, b.qa_id is null as is_gone,
           a.content <> b.content as differs
    from former a full join latter b on a.qa_id = b.qa_id
)
select qa_id, task, dataset, scene, old_split, new_split,
       case when is_new then 'added' when is_gone then 'removed' when differs then 'changed' else 'moved' end as kind
from paired
where is_new or is_gone or differs or old_split <> new_split
