-- Questions whose images show an object, asked about or not: those of scenes ($datasets, $releases and
-- $scenes, pairwise) that show any of the frames in which it is visible ($frames).
with chosen as (
    select unnest($datasets::varchar[]) as dataset, unnest($releases::varchar[]) as release,
           unnest($scenes::varchar[]) as scene
)
select q.* from question q semi join chosen using (dataset, release, scene)
where list_has_any([f.frame for f in q.frames], $frames::varchar[])
