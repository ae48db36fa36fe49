-- Every registered scene; what rejected it is the record of `scenes`, or of `sources` where that did.
select g.dataset, g.release, g.scene, g.shard, r.status,
       case when r.status = 'blocked' then f.reason else r.reason end as reason,
       case when r.status = 'blocked' then f.detail else r.detail end as detail,
       g.license, s.facts, s.frames, s.instances, s.room_size,
       map_from_entries([{'k': c.what, 'v': c.found} for c in s.conventions]) as conventions
from memory.lake.registered g
left join memory.lake.scenes s on s.shard = g.shard and s.scene = g.scene
left join memory.lake.scene_records r on r.asset = 'scenes' and r.shard = g.shard and r.scene = g.scene
left join memory.lake.scene_records f on f.asset = 'sources' and f.shard = g.shard and f.scene = g.scene
