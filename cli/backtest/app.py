"""`backtest`: the trades that a bot would have made, by the rules of paper trading."""

import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from backtest.engine import backtest as run_backtest
from backtest.history import History, history_of
from backtest.lookahead import look_ahead
from backtest.result import Result
from cli.backtest.documents import as_document, as_entries, figures_table, newest_trades, remarks
from cli.backtest.grid import axes_of, combinations
from cli.backtest.report import report_page
from cli.backtest.sources import (
    Market,
    Overrides,
    Rules,
    candles_in_file,
    config_in_file,
    config_of_bot,
    market_at_venue,
    market_in_file,
    moment,
)
from cli.backtest.sweep import Course, checked, outcomes_table, sweep
from cli.options import AsJson, DataDir
from cli.output import CliError, emit_json, say, show, warn
from cli.run import run
from cli.target import find_target
from db.backtests import BacktestRepository
from db.engine import make_engine
from domain.config import BotConfig
from domain.state import BotRow
from strategies.custom import CustomStrategy
from strategies.registry import build_strategy

app = typer.Typer(add_completion=False)


def _positive(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0:
        raise typer.BadParameter(f"must be a number above 0; was {text}")
    return value


def _not_negative(text: str) -> Decimal:
    return Decimal(0) if text.strip("0.") == "" and text.strip(".") else _positive(text)


@dataclass(frozen=True)
class _Wish:
    """What the command line asks for."""

    bot: str | None
    config: Path | None
    csv: Path | None
    finer: Path | None
    start: int | None
    end: int | None
    overrides: Overrides
    rules: Rules
    data_dir: Path | None


@app.command()
def backtest(
    *,
    bot: Annotated[str | None, typer.Option("--bot", metavar="ID", help="A bot that exists.")] = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Or a configuration as JSON.")] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Candles; else they are asked of the exchange.")
    ] = None,
    venue: Annotated[str | None, typer.Option(metavar="ID", help="Another exchange than the bot's.")] = None,
    symbol: Annotated[str | None, typer.Option(metavar="SYMBOL", help="Another symbol than the bot's.")] = None,
    interval: Annotated[str | None, typer.Option(metavar="INTERVAL", help="Another interval than the bot's.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="First candle traded; those before warm up. UTC.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Where it ends; not included. UTC.")] = None,
    cash: Annotated[float | None, typer.Option(metavar="AMOUNT", help="Other starting cash than the bot's.")] = None,
    finer: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Candles of a shorter interval: in which order stop and target came."),
    ] = None,
    lot: Annotated[
        Decimal | None, typer.Option(parser=_positive, metavar="STEP", help="With --csv: 0.00001 if unset.")
    ] = None,
    tick: Annotated[
        Decimal | None, typer.Option(parser=_positive, metavar="STEP", help="With --csv: 0.01 if unset, or finer.")
    ] = None,
    min_notional: Annotated[
        Decimal | None, typer.Option(parser=_not_negative, metavar="AMOUNT", help="With --csv: 5 if unset.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page with curves and trades.")
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Store the trades in the database, as those of --bot.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Look for signals that need candles of the future.")] = False,
    grid: Annotated[
        str | None,
        typer.Option(
            "--sweep", metavar="PARAM=A:B:STEP,…", help="Figures of every combination, the best return first."
        ),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the trades that a bot makes of these candles: same strategy, limits, fees and fills as on paper.

    Exit code 1 if `--check` finds that the strategy looks ahead.
    """
    if grid is not None and (report or save or check):
        raise typer.BadParameter("--sweep compares many backtests; --report, --save and --check are of one")
    if (bot is None) == (config is None):
        raise typer.BadParameter("give one of --bot and --config")
    if save and bot is None:
        raise typer.BadParameter("--save needs --bot: trades are stored as those of a bot")
    if csv and venue:
        raise typer.BadParameter("give one of --csv and --venue")
    wish = _Wish(
        bot=bot,
        config=config,
        csv=csv,
        finer=finer,
        start=None if start is None else moment(start, "--from"),
        end=None if end is None else moment(end, "--to"),
        overrides=Overrides(cash=cash, venue=venue, symbol=symbol, interval=interval),
        rules=Rules(lot, tick, min_notional),
        data_dir=data_dir,
    )
    if grid is not None:
        run(_sweep(wish, grid, as_json=as_json))
        return
    raise typer.Exit(run(_backtest(wish, report=report, save=save, check=check, as_json=as_json)))


async def _backtest(wish: _Wish, *, report: Path | None, save: bool, check: bool, as_json: bool) -> int:
    config, row = await _config(wish)
    strategy = build_strategy(config.strategy)
    warmup = strategy.warmup_at(config.data.interval)
    market = await _market(wish, config, warmup)
    history = history_of(
        market.candles,
        config.data.interval,
        warmup=warmup,
        start=wish.start,
        end=wish.end,
        finer=candles_in_file(wish.finer) if wish.finer else None,
    )
    began = time.perf_counter()
    result = run_backtest(config, market.instrument, strategy, history)
    seconds = time.perf_counter() - began
    if as_json:
        emit_json(as_document(result, market.rules))
    else:
        _show(result, market, seconds)
    if report is not None:
        _write(report, report_page(result, market.rules))
        _tell(f"report: {report}", as_json=as_json)
    if save and row is not None:
        await _save(result, row, wish.data_dir)
        _tell(f"stored {len(result.trades)} trades of {row.bot_id} as a backtest", as_json=as_json)
    return _check(config, strategy, history, as_json=as_json) if check else 0


async def _sweep(wish: _Wish, grid: str, *, as_json: bool) -> None:
    config, _ = await _config(wish)
    raw = config.model_dump(mode="json")
    axes = axes_of(grid, raw)
    wanted = list(combinations(axes))
    warmup = max(build_strategy(each.strategy).warmup_at(each.data.interval) for each in checked(raw, axes, wanted))
    market = await _market(wish, config, warmup)
    course = Course(
        raw=raw,
        axes=axes,
        candles=market.candles,
        instrument=market.instrument,
        interval=config.data.interval,
        start=wish.start,
        end=wish.end,
        warmup=warmup,
    )
    course.history()  # refused before any process is started
    outcomes = sweep(course, wanted)
    if as_json:
        emit_json([{"params": dict(outcome.values), "metrics": outcome.metrics} for outcome in outcomes])
    else:
        show(outcomes_table(outcomes))


async def _config(wish: _Wish) -> tuple[BotConfig, BotRow | None]:
    if wish.bot is not None:
        return await config_of_bot(wish.bot, wish.overrides, wish.data_dir)
    assert wish.config is not None
    return config_in_file(wish.config, wish.overrides), None


async def _market(wish: _Wish, config: BotConfig, warmup: int) -> Market:
    if wish.csv is not None:
        return market_in_file(wish.csv, config, wish.rules)
    if wish.start is None:
        raise CliError("--from is needed to ask an exchange for candles; or give --csv")
    end = time.time_ns() // 1_000_000 if wish.end is None else wish.end
    return await market_at_venue(config, start=wish.start, end=end, warmup=warmup)


def _show(result: Result, market: Market, seconds: float) -> None:
    for line in remarks(result, market.rules):
        say(line, "dim")
    show(figures_table(result))
    if result.trades:
        show(newest_trades(result))
    rate = len(result.history.candles) / max(seconds, 1e-9)
    say(f"{len(result.history.candles):,} candles in {seconds:.2f} s ({rate:,.0f} a second)", "dim")


async def _save(result: Result, row: BotRow, data_dir: Path | None) -> None:
    engine = make_engine(find_target(data_dir).database_url)
    try:
        await BacktestRepository(engine).replace(
            row, result.instrument.symbol, result.history.interval, as_entries(result)
        )
    finally:
        await engine.dispose()


def _check(config: BotConfig, strategy: CustomStrategy, history: History, *, as_json: bool) -> int:
    judged, found = look_ahead(config, strategy, history)
    for difference in found[:10]:
        warn(f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(difference.time / 1000))}: {difference.text}")
    if found:
        warn(f"{len(found)} differences on {judged} candles: the strategy looks ahead, or its warm-up is too short")
        return 1
    _tell(f"{judged} candles were judged again without those after them: nothing changed", as_json=as_json)
    return 0


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise CliError(f"{path}: cannot be written: {error.strerror or error}") from error


def _tell(text: str, *, as_json: bool) -> None:
    """Say something that is no part of the JSON."""
    (warn if as_json else say)(text)
