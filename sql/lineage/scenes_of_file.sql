-- Scenes that were read from a file ($path, relative to its dataset's root), and what for.
select shard, scene, role from source_file where path = $path order by all
