-- lineage.duckdb: where every question came from, for the plain duckdb shell. Begin with: from about;
-- A cache. The Parquet tables of the lake, the records and the releases are the truth, and
-- `spatial-assets lineage rebuild` makes this file from them. Nothing is lost by deleting it.

create table source_file (        -- one row a file and scene that was read from it
    dataset varchar,              -- reader, which is the name of the on-disk format
    release varchar,              -- the dataset's release, as registered
    scene varchar,                -- the source's own name of the scene
    shard varchar,                -- Dagster partition that holds the scene
    path varchar,                 -- relative to the dataset's root
    role varchar,                 -- what the reader uses it for
    bytes bigint,
    mtime timestamp,              -- when the file was last modified, UTC, as it was hashed
    sha256 varchar,               -- of its bytes
    license varchar,
    version varchar               -- of what lies on object storage: its version id, or its entity tag; null for files
);
comment on table source_file is 'Files that scenes were read from, with the hashes of their bytes.';

create table scene (              -- one row a registered scene
    dataset varchar,
    release varchar,
    scene varchar,
    shard varchar,
    status varchar,               -- done, rejected, blocked (a file of it was rejected), or null: not built yet
    reason varchar,               -- why it was rejected
    detail varchar,               -- the file and what is wrong with it
    license varchar,
    facts varchar[],              -- what the scene knows, sorted: amodal, images, mesh, objects, ...
    frames integer,
    instances integer,
    room_size double,             -- square meters, where the source states it
    conventions map(varchar, varchar)  -- what the reader found and converted
);
comment on table scene is 'Scenes that were registered, and whether they could be read.';

create table object (
    dataset varchar, release varchar, scene varchar, shard varchar,
    instance integer,             -- the source's own id
    category varchar,             -- canonical
    label varchar                 -- the source's own word
);
comment on table object is 'Objects of the scenes: category is canonical, label is the source''s own word.';

create table frame (
    dataset varchar, release varchar, scene varchar, shard varchar,
    frame varchar,                -- the source's own name
    position integer,             -- place in the sequence
    image varchar                 -- color image, relative to the dataset's root
);
comment on table frame is 'Frames of the scenes that have a usable pose.';

create table record (             -- one row an asset and scene: how its rows came about
    asset varchar,
    shard varchar,
    scene varchar,
    status varchar,               -- done, rejected (its input cannot be used), blocked (rejected upstream)
    reason varchar,
    detail varchar,
    input_hash varchar,           -- of everything it was made from; a build computes a scene only if this differs
    output_hash varchar,          -- of everything it made
    inputs map(varchar, varchar), -- table or kind of file read, to its content hash
    outputs map(varchar, varchar),
    rows map(varchar, bigint),
    code_version varchar,         -- hash of the sources and data files that the asset uses
    parameters varchar,           -- JSON
    seconds double,
    started varchar,              -- ISO, UTC
    ended varchar,
    run_id varchar,               -- Dagster's
    host varchar,
    versions map(varchar, varchar),  -- of Python and packages
    "commit" varchar              -- of the checkout; '+' behind it: files differed; empty: an installed wheel
);
comment on table record is 'How the rows of each asset and scene came about: hashes, code, parameters, run, host.';

create table question (           -- one row a question; its text stands in question_text
    qa_id uuid,                   -- compares equal to the 32 hexadecimal digits that the files have
    task varchar,                 -- the asset that made it
    format varchar,               -- fill, select, sentence or judge
    dataset varchar, release varchar, scene varchar, shard varchar,
    template varchar,             -- the wording used
    frames struct("role" varchar, frame varchar)[],
    objects struct("role" varchar, instance integer)[]
);
comment on table question is 'Every question: task, scene, frames shown, objects asked about. Text: question_text.';

create table tombstone (
    dataset varchar, release varchar, scene varchar, shard varchar,
    kind varchar,                 -- gone (its files are), or withdrawn (by a person)
    reason varchar, detail varchar,
    since varchar, until varchar, -- ISO, UTC; until is empty while it stands
    run_id varchar
);
comment on table tombstone is 'Scenes that are gone or were withdrawn, and since when.';

create table release (
    name varchar,
    id varchar,                   -- hash of the manifest: equal releases have equal ids
    rows bigint,
    scenes bigint,
    splits varchar[],
    licenses varchar[]
);
comment on table release is 'Immutable snapshots under releases/.';

create table release_scene (      -- rows of a release by scene
    name varchar,                 -- the release's
    split varchar, task varchar,
    dataset varchar, release varchar, scene varchar,
    space varchar,                -- the physical place; splits never share one
    rows bigint
);
comment on table release_scene is 'How many rows each scene has in each release, by split and task.';

create table asset_input (asset varchar, "table" varchar, made_by varchar);
comment on table asset_input is 'What each asset reads, and which asset makes that: the graph of assets.';

create table column_lineage ("table" varchar, "column" varchar, from_table varchar, from_column varchar);
comment on table column_lineage is 'Which columns each column is computed from.';

create table meta (key varchar, value varchar);
comment on table meta is 'Versions of what made this file.';

create table built_from (path varchar, bytes bigint, mtime_ns bigint, asset varchar, shard varchar);
comment on table built_from is 'State of the files that this cache was made from; where it differs, they are read instead.';

create view question_origin as
select q.qa_id, q.task, q.format, q.dataset, q.release, q.scene, q.shard,
       r.code_version, r."commit", r.parameters, r.run_id, r.host, r.ended, r.versions
from question q join record r on r.asset = q.task and r.shard = q.shard and r.scene = q.scene;
comment on view question_origin is 'Each question with the code, parameters, run and host that made it.';

create view task_total as
select task, format, count(*) as questions, count(distinct (dataset, release, scene)) as scenes
from question group by all order by all;
comment on view task_total is 'Questions by task and format.';

create view scene_progress as
select s.dataset, s.release, s.scene, s.status,
       count(r.asset) filter (r.status = 'done') as assets_done,
       count(r.asset) filter (r.status = 'rejected') as assets_rejected,
       count(r.asset) filter (r.status = 'blocked') as assets_blocked,
       max(r.ended) as latest
from scene s left join record r on r.shard = s.shard and r.scene = s.scene
group by all order by all;
comment on view scene_progress is 'How far each scene is: assets done, rejected and blocked (rejected upstream), and when last.';

create view license_total as
select s.license, s.dataset, s.release, count(*) as questions
from question q join scene s using (dataset, release, scene) group by all order by all;
comment on view license_total is 'Questions by the license of their source.';

create view revoked as
select p.name, p.split, p.task, p.dataset, p.release, p.scene, p.rows, t.kind, t.reason, t.since
from release_scene p join tombstone t using (dataset, release, scene)
where t.until = '' order by all;
comment on view revoked is 'Rows of releases whose scenes are gone or were withdrawn since: do not use them.';

create view about as
select table_name as name, 'table' as kind, estimated_size as rows, comment as what from duckdb_tables()
where not internal and database_name = current_database()
union all
select view_name, 'view', null, comment from duckdb_views()
where not internal and database_name = current_database()
order by kind, name;
comment on view about is 'This list.';
