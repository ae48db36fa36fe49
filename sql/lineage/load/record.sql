select asset, shard, scene, status, reason, detail, input_hash, output_hash, inputs, outputs, rows,
       code_version, parameters, seconds, started, ended, run_id, host, versions, coalesce("commit", '') as "commit"
from memory.lake.records
