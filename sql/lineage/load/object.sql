select dataset, release, scene, shard, instance, category, label from memory.lake.objects
