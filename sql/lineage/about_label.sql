-- Questions that ask about an object of a category or with a label ($word, in any case).
with named as (
    select dataset, release, scene, list(instance) as instances from object
    where lower(category) = lower($word) or lower(label) = lower($word)
    group by all
)
select q.* from question q join named n using (dataset, release, scene)
where list_has_any([o.instance for o in q.objects], n.instances)
