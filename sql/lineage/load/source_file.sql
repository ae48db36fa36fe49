select s.dataset, s.release, s.scene, s.shard, s.path, s.role, s.bytes,
       make_timestamp(f.mtime_ns // 1000) as mtime, s.sha256, s.license, f.version
from memory.lake.sources s left join memory.lake.files f on f.shard = s.shard and f.path = s.path
