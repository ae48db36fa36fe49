-- Closed answers of a release ($files): how often each, by split, task, format and number of options.
select string_split(filename, '/')[-2] as split, task, format, coalesce(len(options), 0) as options, answer,
       count(*) as rows
from read_parquet($files, filename = true, hive_partitioning = false)
where format in ('select', 'judge')
group by all order by all
