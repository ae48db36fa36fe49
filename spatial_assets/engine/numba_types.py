"""What numba knows of types and functions, loaded when this module is imported: three fourths of a second.

Workers find it there, since the process that they are forked from imports this once for all of them; else each would
load it with its first kernel.
"""

from __future__ import annotations

from numba.core.registry import cpu_target

cpu_target.target_context.refresh()
