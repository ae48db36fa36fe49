-- The files that a scene was read from ($shard, $scene).
select path, role, bytes, mtime, sha256, license, version from source_file
where shard = $shard and scene = $scene order by path
