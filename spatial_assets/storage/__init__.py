"""Tables and scene files on disk: written whole or not at all, schemas enforced, locks, registered shards.

Here belongs how bytes get to disk and back, and where they lie. Nothing here knows what rows mean (see
`scene.tables`), but for the table of shortcuts, which several folders read and one writes, or when they are made (see
`engine`).
"""
