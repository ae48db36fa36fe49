select dataset, release, scene, shard, frame, position, image from memory.lake.frames
