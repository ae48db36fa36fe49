-- Questions that stand more than once in a release ($files).
select qa_id, count(*) as times from read_parquet($files, hive_partitioning = false)
group by qa_id having count(*) > 1 order by all limit 20
