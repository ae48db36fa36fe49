"""Several machines over one home: the queue, who launches runs, and the workers that execute them.

Here belong what `deploy/dagster.yaml` names, and the commands' side of it. Needs the extra `cluster`; nothing that one
machine does alone belongs here or imports it.
"""
