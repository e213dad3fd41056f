"""Imports one exchange class of ccxt without the hundred others.

`import ccxt.async_support` reads every exchange that there is: seconds of start-up and tens of megabytes. Its
submodules need of the two packages above them little more than the error classes. So those packages are entered
into `sys.modules` with an `__init__` that has not run yet, and that runs only if somebody asks them for more.
"""

import importlib.util
import pkgutil
import sys
import threading
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

from brokers.ccxt_types import ExchangeClass

_PACKAGES = ("ccxt", "ccxt.async_support")
# Names that the submodules take from the packages, and where these have them from; empty: all names there.
_LIGHT: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ccxt": {"ccxt.base.errors": (), "ccxt.base.exchange": ("Exchange",)},
}
_NOT_EXCHANGES = {"base"}
_lock = threading.Lock()


class _DeferredPackage(ModuleType):
    """A package whose `__init__` runs at the first look at a name that is neither a submodule nor an error."""

    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(spec.name)
        self.__spec__ = spec
        self.__loader__ = spec.loader
        self.__file__ = spec.origin
        self.__package__ = spec.name
        self.__path__ = spec.submodule_search_locations or []

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name not in {"__version__", "__all__"}:
            raise AttributeError(name)
        for source, names in _LIGHT.get(self.__name__, {}).items():
            module = import_module(source)
            if name in (names or dir(module)):
                return getattr(module, name)
        spec = self.__spec__
        if spec is not None and spec.loader is not None and "_ran" not in self.__dict__:
            self.__dict__["_ran"] = True
            spec.loader.exec_module(self)
            if name in self.__dict__:
                return self.__dict__[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def _defer_packages() -> None:
    for name in _PACKAGES:
        if name in sys.modules:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(f"ccxt is not installed: no module named {name!r}")
        sys.modules[name] = _DeferredPackage(spec)
        above, _, last = name.rpartition(".")
        if above:
            setattr(sys.modules[above], last, sys.modules[name])


@cache
def exchange_ids() -> frozenset[str]:
    """Return the ids of all exchanges that this ccxt knows, without importing any."""
    with _lock:
        _defer_packages()
    package = sys.modules["ccxt.async_support"]
    return frozenset(module.name for module in pkgutil.iter_modules(package.__path__)) - _NOT_EXCHANGES


def exchange_class(exchange_id: str) -> ExchangeClass:
    """Return ccxt's asynchronous class of one exchange. Slow the first time (about a second): not for the event loop.

    Args:
        exchange_id: one of `exchange_ids()`.
    """
    with _lock:
        _defer_packages()
        module = import_module(f"ccxt.async_support.{exchange_id}")
    found: ExchangeClass = getattr(module, exchange_id)
    return found
