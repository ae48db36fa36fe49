-- Rows of a release ($files) by split, task, dataset and format.
select string_split(filename, '/')[-2] as split, task, dataset, format, count(*) as rows
from read_parquet($files, filename = true, hive_partitioning = false)
group by all order by all
