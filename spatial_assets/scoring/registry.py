"""The scoring profiles by benchmark and name."""

from __future__ import annotations

from spatial_assets.scoring import sparbench, spatialmosaic, vsibench
from spatial_assets.scoring.profile import Profile

_PROFILES: dict[str, dict[str, Profile]] = {
    benchmark: {profile.name: profile for profile in module.PROFILES}
    for benchmark, module in (
        ("sparbench", sparbench),
        ("vsibench", vsibench),
        ("spatialmosaic", spatialmosaic),
    )
}


def benchmarks() -> tuple[str, ...]:
    """The benchmarks that can be scored."""
    return tuple(_PROFILES)


def profiles(benchmark: str) -> tuple[str, ...]:
    """The profiles of one benchmark, the official one first; raises ValueError for an unknown benchmark."""
    if benchmark not in _PROFILES:
        raise ValueError(f"no benchmark {benchmark!r}; known: {', '.join(_PROFILES)}")
    return tuple(_PROFILES[benchmark])


def find_profile(benchmark: str, name: str) -> Profile:
    """One profile; raises ValueError with the known ones if there is none of that name."""
    known = profiles(benchmark)
    if name not in known:
        raise ValueError(f"{benchmark} has no profile {name!r}; known: {', '.join(known)}")
    return _PROFILES[benchmark][name]
