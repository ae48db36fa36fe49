"""What every part is told by its environment, and Celery's settings, which launcher and workers share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from spatial_assets.assets.instance import BROKER_VARIABLE, HOME_VARIABLE
from spatial_assets.cluster.addresses import BROKER_EXAMPLE, checked

QUEUE = "spatial-assets"
"""Of runs that name none by Dagster's tag `dagster-celery/queue`."""
TASK = "spatial_assets.run"
"""The only task there is: a message names a run of the history, and can make a worker do nothing else."""
HANDS_OUT = "hands_out"
"""What the sign of life of a daemon says that hands out the queue's runs."""
CELERY: dict[str, Any] = {
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_ignore_result": True,
    # A worker with no free place takes no message. A message is done with when a process has it, since who watches over
    # runs is not the broker; were it to be acknowledged at the end, a worker whose network was away then would wait for
    # that for ever, and take no other.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "task_acks_late": False,
    # Runs are stopped by their state in the history; workers take orders from nobody else.
    "worker_enable_remote_control": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "task_publish_retry_policy": {
        "max_retries": 3,
        "interval_start": 0.2,
        "interval_step": 0.5,
        "interval_max": 2,
    },
    "broker_transport_options": {
        # Redis gives a message out again after that time; a run that has been taken is rejected then.
        "visibility_timeout": 24 * 3600,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "max_retries": 3,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.5,
    },
}


def broker() -> str:
    """Redis' address. Raises ValueError where the environment does not have it, InputError where it is none."""
    address = os.environ.get(BROKER_VARIABLE)
    if not address:
        raise ValueError(f"set {BROKER_VARIABLE} to the broker's address, as in {BROKER_EXAMPLE}")
    return checked(address, BROKER_VARIABLE, BROKER_EXAMPLE)


def home_told() -> Path:
    """The home that this process was started for. Raises ValueError where the environment does not have it."""
    home = os.environ.get(HOME_VARIABLE)
    if not home:
        raise ValueError(f"set {HOME_VARIABLE} to the home that all machines share")
    return Path(home).resolve()
