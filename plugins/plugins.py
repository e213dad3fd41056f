"""All plugins of a process, by the names that configurations use. Implements `strategies.plugs.Plugs`."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol

import structlog
from pydantic import JsonValue, TypeAdapter

from domain.config_errors import Place, Problem, dotted
from plugins.errors import PluginFailed
from plugins.host import Host, Question
from plugins.lane import Lane
from plugins.limiting import limits_memory
from plugins.logics import RemoteEntry, RemoteExit
from plugins.process import Limits
from plugins.sources import Source, installed, is_allowed, is_path
from strategies.plugs import Described, Kind
from strategies.registry import ENTRIES, EXITS, STRATEGIES

log = structlog.get_logger(__name__)

_CATALOGUE: Mapping[Kind, Mapping[str, object]] = {"strategy": STRATEGIES, "entry": ENTRIES, "exit": EXITS}
# A configuration's problems travel through Temporal's history, and a plugin may word them as it likes.
_MOST, _LONGEST = 20, 300
_PROBLEMS = TypeAdapter(tuple[Problem, ...])


class PluginSettings(Protocol):
    """What a process is told of plugins; settings.py has it."""

    @property
    def plugin_paths(self) -> Sequence[str]: ...  # noqa: D102 - said in docs/settings.md
    @property
    def plugin_memory_mb(self) -> int: ...  # noqa: D102
    @property
    def plugin_seconds(self) -> float: ...  # noqa: D102
    @property
    def plugin_start_seconds(self) -> float: ...  # noqa: D102


class Plugins:
    """What is installed, and the processes that run it. Nothing is started before a bot names it."""

    def __init__(self, *, modules: Sequence[str] = (), limits: Limits | None = None) -> None:
        """Look at what is installed.

        Args:
            modules: whose classes may be named as `module:Class`, those of modules inside them included.
        """
        self._limits = limits or Limits()
        self._modules = tuple(modules)
        self._sources = {key: source for key, source in installed().items() if not _shadowed(source)}
        self._hosts: dict[str, Host] = {}
        self._lanes: dict[frozenset[str], Lane] = {}
        self._lock = threading.Lock()
        if (self._sources or modules) and not limits_memory():
            log.warning("this system does not limit the memory of plugins")

    @classmethod
    def by(cls, settings: PluginSettings) -> "Plugins":
        """Return the plugins of a process with these settings."""
        limits = Limits(
            memory_mb=settings.plugin_memory_mb,
            call_seconds=settings.plugin_seconds,
            start_seconds=settings.plugin_start_seconds,
        )
        return cls(modules=settings.plugin_paths, limits=limits)

    def names(self, kind: Kind) -> Sequence[str]:
        """Return the names that are installed."""
        return [name for of, name in self._sources if of == kind]

    def has(self, kind: Kind, name: str) -> bool:
        """Return whether a name is installed, or is the path of a class that may be loaded."""
        return (kind, name) in self._sources or is_allowed(name, self._modules)

    def hint(self, name: str) -> str | None:
        """Return why what looks like the path of a class may not be loaded; None for any other name."""
        if not is_path(name):
            return None
        allowed = f"names {', '.join(self._modules)}" if self._modules else "names none"
        return f"may not be loaded: STEADYHAND_PLUGIN_MODULES {allowed}"

    def executor(self, strategy: Any) -> Executor | None:
        """Return the threads that wait for the plugins of a strategy; None: no plugin takes part.

        One thread for each combination, so that a strategy of two plugins that waits for one does not hold up those
        that need the other alone.
        """
        owners = frozenset(source.owner for source in self._named(strategy))
        if not owners:
            return None
        with self._lock:
            if owners not in self._lanes:
                self._lanes[owners] = Lane(" and ".join(sorted(owners)), self._limits.patience_seconds)
            return self._lanes[owners]

    def problems(self, kind: Kind, name: str, params: Mapping[str, JsonValue], *, at: Place) -> Sequence[Problem]:
        """Return what is wrong with parameters, or with the plugin itself."""
        source = self._source(kind, name)
        place = at if kind == "strategy" else (*at, "params")
        try:
            found, _ = self._host(source).ask(Question(source, "check", params, {"at": list(place)}), _PROBLEMS)
        except PluginFailed as error:
            where = ("strategy", "type") if kind == "strategy" else (*at, "name")
            return (Problem(path=dotted(where), message=str(error)),)
        return tuple(Problem(path=each.path[:_LONGEST], message=each.message[:_LONGEST]) for each in found[:_MOST])

    def entry(self, kind: Kind, name: str, params: Mapping[str, JsonValue]) -> RemoteEntry:
        """Return an entry with these parameters."""
        source = self._source(kind, name)
        return RemoteEntry(self._host(source), source, params)

    def exit(self, kind: Kind, name: str, params: Mapping[str, JsonValue]) -> RemoteExit:
        """Return an exit with these parameters."""
        source = self._source(kind, name)
        return RemoteExit(self._host(source), source, params)

    def describe(self) -> Sequence[Described]:
        """Return what is installed; what cannot be loaded is logged and left out."""
        found = []
        for source in self._sources.values():
            try:
                loaded = self._host(source).loaded(source)
            except PluginFailed as error:
                log.warning("plugin cannot be loaded", plugin=source.owner, name=source.name, reason=str(error))
                continue
            found.append(Described(source.kind, source.name, loaded.rule, loaded.parameters))
        return found

    @property
    def pids(self) -> frozenset[int]:
        """The processes that run now."""
        return frozenset(host.pid for host in tuple(self._hosts.values()) if host.pid is not None)

    @property
    def ended(self) -> int:
        """How many processes have ended before their time: they were killed, or have broken off."""
        return sum(host.ended for host in tuple(self._hosts.values()))

    def close(self) -> None:
        """End all processes, and whoever waits for them."""
        with self._lock:
            hosts, lanes = tuple(self._hosts.values()), tuple(self._lanes.values())
        for host in hosts:
            host.close()
        for lane in lanes:
            lane.shutdown(cancel_futures=True)

    def _named(self, strategy: Any) -> Iterator[Source]:
        """Find the plugins in a raw strategy, as far as it has a shape."""
        if not isinstance(strategy, Mapping):
            return
        parameters = strategy.get("parameters")
        inner = parameters if isinstance(parameters, Mapping) else {}
        named: dict[Kind, Any] = {"strategy": strategy.get("type")}
        logics: tuple[tuple[Kind, str], ...] = (("entry", "entry_logic"), ("exit", "exit_logic"))
        for kind, key in logics:
            logic = inner.get(key)
            named[kind] = logic.get("name") if isinstance(logic, Mapping) else None
        for kind, name in named.items():
            if isinstance(name, str) and name not in _CATALOGUE[kind] and self.has(kind, name):
                yield self._source(kind, name)

    def _source(self, kind: Kind, name: str) -> Source:
        if not self.has(kind, name):
            raise LookupError(f"there is no {kind} {name!r}")
        return self._sources.get((kind, name)) or Source(kind, name, name, None)

    def _host(self, source: Source) -> Host:
        with self._lock:
            if source.owner not in self._hosts:
                self._hosts[source.owner] = Host(source.owner, self._limits)
            return self._hosts[source.owner]


def _shadowed(source: Source) -> bool:
    if source.name not in _CATALOGUE[source.kind]:
        return False
    log.warning("a plugin's name is the catalogue's, which is used", name=source.name, plugin=source.owner)
    return True
