"""Addresses of the servers that machines share: what may be said of one, and whether it can be read in one way only.

A password with a character that separates an address' parts is read as host, port or path by some, who then print it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from spatial_assets.scene.model import InputError

BROKER_EXAMPLE = "redis://:PASSWORD@HOST:6379/0"
POSTGRES_EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"


def checked(address: str, variable: str, example: str) -> str:
    """The address. Raises InputError, with nothing of it, where it does not say plainly where its password ends."""
    try:
        parts = urlsplit(address)
        _ = parts.port
        is_plain = parts.netloc.count("@") <= 1 and "@" not in parts.path + parts.query + parts.fragment
    except ValueError:
        is_plain = False
    if not is_plain:
        told = "percent-encode the password (its / is %2F, its @ is %40), and give the port as a number"
        raise InputError(variable, f"is not an address as {example}: {told}") from None
    return address


def broker_shown(address: str) -> str:
    """The broker and its database, without user, password and options."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}"
