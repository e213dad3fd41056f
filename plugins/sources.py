"""Which plugins there are: told by the installed distributions, without running any of their code."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

import structlog

from strategies.plugs import Kind

log = structlog.get_logger(__name__)

GROUPS: Mapping[Kind, str] = {
    "strategy": "steadyhand.strategies",
    "entry": "steadyhand.entries",
    "exit": "steadyhand.exits",
}
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a logic comes from.

    Attributes:
        name: what configurations call it.
        target: `module:Class`.
        distribution: the installed package that brings it; None for a module that is merely on the path.
    """

    kind: Kind
    name: str
    target: str
    distribution: str | None

    @property
    def owner(self) -> str:
        """Whose process runs it: that of its distribution, or of its top-level module."""
        return self.distribution or self.target.partition(":")[0].partition(".")[0]

    def __str__(self) -> str:
        return self.name if self.name == self.owner else f"{self.name} of {self.owner}"


def installed() -> dict[tuple[Kind, str], Source]:
    """Return what the installed distributions bring, by kind and name; of two equal names, the first wins."""
    found: dict[tuple[Kind, str], Source] = {}
    for source in _all():
        first = found.setdefault((source.kind, source.name), source)
        if first != source:
            log.warning("two plugins bring one name", name=source.name, used=first.owner, ignored=source.owner)
    return found


def is_path(name: str) -> bool:
    """Return whether a name has the form `module:Class`."""
    return _PATH.fullmatch(name) is not None


def is_allowed(name: str, modules: Sequence[str]) -> bool:
    """Return whether `module:Class` is of one of the modules, or of one inside them."""
    module = name.partition(":")[0]
    return is_path(name) and any(module == allowed or module.startswith(f"{allowed}.") for allowed in modules)


def _all() -> Iterator[Source]:
    for kind, group in GROUPS.items():
        for point in sorted(entry_points(group=group), key=_order):
            yield Source(kind, point.name, point.value, point.dist.name if point.dist else None)


def _order(point: EntryPoint) -> tuple[str, str, str]:
    return point.name, point.dist.name if point.dist else "", point.value
