"""Plugins that misbehave on demand, each in a module, and so in a process, of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from plugins.plugins import Plugins
from plugins.process import Limits

LIMITS = Limits(memory_mb=256, call_seconds=3.0, start_seconds=20.0)


@dataclass
class Zoo:
    """Makes plugins, and knows the processes that ran them.

    Attributes:
        place: where modules are written, and the file that turns bad behaviour on.
    """

    place: Path
    opened: list[Plugins] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    @property
    def switch(self) -> Path:
        return self.place / "switch"

    def turn_on(self) -> None:
        self.switch.touch()

    def turn_off(self) -> None:
        self.switch.unlink()

    def module(self, name: str, text: str = "from unruly_logics import *\n") -> str:
        """Write a module, and return its name."""
        (self.place / f"{name}.py").write_text(text)
        return name

    def open(self, *modules: str, **limits: Any) -> Plugins:
        """Return the plugins of a process that may load these modules."""
        plugins = Plugins(modules=modules, limits=Limits(**{**_fields(LIMITS), **limits}))
        self.opened.append(plugins)
        return plugins

    def logics(self, module: str, mode: str, **params: Any) -> dict[str, Any]:
        """Return an entry and an exit that misbehave in a way while the switch is on."""
        own = {"mode": mode, "switch": str(self.switch), **params}
        entry = {"e_rsi_period": 5, "e_bb_period": 5, "e_bb_dev": 1.5, "e_vol_ma_period": 5, **own}
        return {
            "entry_logic": {"name": f"{module}:UnrulyEntry", "params": entry},
            "exit_logic": {
                "name": f"{module}:UnrulyExit",
                "params": {"x_atr_period": 5, "x_sl_multiplier": 1.5, **own},
            },
        }

    def close(self) -> None:
        for plugins in self.opened:
            self.seen |= plugins.pids
            plugins.close()


def _fields(limits: Limits) -> dict[str, Any]:
    return {name: getattr(limits, name) for name in ("memory_mb", "call_seconds", "start_seconds")}


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zoo]:
    """Plugins. In the end no process is left."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "unruly"))
    monkeypatch.syspath_prepend(str(tmp_path))
    zoo = Zoo(tmp_path)
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield zoo
    zoo.close()
    children = psutil.Process().children(recursive=True)
    assert [
        child.cmdline() for child in children if child.pid not in before and "plugins.child" in child.cmdline()
    ] == []
    assert not [pid for pid in zoo.seen if psutil.pid_exists(pid)]
