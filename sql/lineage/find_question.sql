-- Where a question stands ($qa_id, 32 hexadecimal digits).
select task, format, dataset, release, scene, shard from question where qa_id = $qa_id::uuid
