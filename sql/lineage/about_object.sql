-- Questions that ask about an object ($instance) of scenes ($datasets, $releases and $scenes, pairwise).
with chosen as (
    select unnest($datasets::varchar[]) as dataset, unnest($releases::varchar[]) as release,
           unnest($scenes::varchar[]) as scene
)
select q.* from question q semi join chosen using (dataset, release, scene)
where list_contains([o.instance for o in q.objects], $instance)
