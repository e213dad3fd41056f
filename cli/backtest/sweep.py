"""Backtests of a whole grid of parameters, on all cores, with a bar that says how long it still takes."""

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from backtest.engine import backtest
from backtest.history import History, history_of
from cli.backtest.grid import Axis, Values, varied
from cli.output import ERR, CliError
from domain.candles import Candles
from domain.config import BotConfig, LogicConfig
from domain.config_errors import InvalidConfig
from domain.instruments import Instrument
from strategies.arrays import Flags
from strategies.registry import build_strategy, validate

_SHOWN, _CHUNK = 20, 16
_FIGURES = ("total_trades", "total_return", "max_drawdown", "profit_factor", "win_rate", "sharpe_ratio")


@dataclass(frozen=True)
class Course:
    """What all backtests of a sweep share."""

    raw: Mapping[str, Any]
    axes: Sequence[Axis]
    candles: Candles
    instrument: Instrument
    interval: str
    start: int | None
    end: int | None
    warmup: int = 0

    def history(self) -> History:
        """Return the history, the same for all: its warm-up is the longest that any needs."""
        return history_of(self.candles, self.interval, warmup=self.warmup, start=self.start, end=self.end)


@dataclass(frozen=True)
class Outcome:
    """The figures of one combination."""

    values: Values
    metrics: dict[str, float | int | None]


def checked(raw: Mapping[str, Any], axes: Sequence[Axis], combinations: Sequence[Values]) -> list[BotConfig]:
    """Return the configurations of a grid.

    Raises:
        CliError: one of them is refused; the message says which, and why.
    """
    found = []
    for values in combinations:
        try:
            found.append(validate(varied(raw, axes, values)))
        except InvalidConfig as error:
            named = ", ".join(f"{name}={value:g}" for name, value in values)
            raise CliError(f"--sweep: {named}: {error.problems[0]}") from error
    return found


def sweep(course: Course, combinations: Sequence[Values]) -> list[Outcome]:
    """Return the figures of all combinations, the highest return first."""
    # Entries vary slowest in a chunk, so that a process finds the signals of most of its combinations ready.
    chunks = [combinations[k : k + _CHUNK] for k in range(0, len(combinations), _CHUNK)]
    workers = min(os.cpu_count() or 1, len(chunks))
    found: list[Outcome] = []
    with (
        _bar() as bar,
        # Not forked: this process has an event loop, and perhaps threads.
        ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (course,)) as pool,
    ):
        task = bar.add_task("backtests", total=len(combinations))
        running: list[Future[list[Outcome]]] = [pool.submit(_run, chunk) for chunk in chunks]
        for done in as_completed(running):
            found += done.result()
            bar.update(task, completed=len(found))
    order = {values: k for k, values in enumerate(combinations)}
    return sorted(found, key=lambda outcome: (-(outcome.metrics["total_return"] or 0), order[outcome.values]))


def outcomes_table(outcomes: Sequence[Outcome]) -> Table:
    """Return the best combinations for people."""
    table = Table(box=box.SIMPLE, title=f"the best of {len(outcomes)} combinations", title_style="dim")
    for name, _ in outcomes[0].values:
        table.add_column(name, justify="right")
    for name in _FIGURES:
        table.add_column(name.replace("_", " "), justify="right")
    for outcome in outcomes[:_SHOWN]:
        values = (f"{value:g}" for _, value in outcome.values)
        table.add_row(*values, *(_shown(name, outcome.metrics[name]) for name in _FIGURES))
    return table


class _Worker:
    """What a process of the pool keeps between its tasks: the newest entry rule and its signals among it."""

    course: Course
    history: History
    entry: LogicConfig | None = None
    signals: Flags


def _begin(course: Course) -> None:
    _Worker.course, _Worker.history = course, course.history()


def _run(combinations: Sequence[Values]) -> list[Outcome]:
    course, history = _Worker.course, _Worker.history
    found = []
    for values in combinations:
        config = validate(varied(course.raw, course.axes, values))
        strategy, entry = build_strategy(config.strategy), config.strategy.logics[0]
        if entry != _Worker.entry:
            _Worker.entry, _Worker.signals = entry, strategy.signals(history.candles)
        result = backtest(config, course.instrument, strategy, history, signals=_Worker.signals)
        found.append(Outcome(values, result.metrics()))
    return found


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=ERR, transient=True)


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name == "total_trades":
        return f"{value}"
    is_share = name in ("total_return", "max_drawdown", "win_rate")
    return f"{value * 100:.2f} %" if is_share else f"{value:.2f}"
