-- So many questions ($count), those that come first by the hash of a seed ($seed) and their id.
select task, shard, scene from question order by md5($seed || qa_id::varchar) limit $count
