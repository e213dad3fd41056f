"""What a backtest is made of: a configuration, candles and the rules of the market, from rows, files or an exchange."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import typer

from backtest.candle_file import parse_candles
from brokers.ccxt_data import CcxtData
from brokers.gateway import Gateway
from cli.bots.document import BadDocument, parse_document, read_text
from cli.output import CliError
from cli.store import open_store
from cli.target import find_target
from domain.candles import Candles, VenueCandle
from domain.config import BotConfig
from domain.instruments import Instrument
from domain.intervals import interval_ms, next_open
from domain.state import BotRow
from market.history import fetch_range
from strategies.registry import validate

DEFAULT_LOT, DEFAULT_TICK, DEFAULT_LEAST = Decimal("0.00001"), Decimal("0.01"), Decimal(5)
_QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USD", "EUR", "BTC", "ETH", "BNB")
_MOST_DECIMALS = 12


@dataclass(frozen=True)
class Overrides:
    """What the command line says instead of the configuration; None: what the configuration says."""

    cash: float | None = None
    venue: str | None = None
    symbol: str | None = None
    interval: str | None = None

    def applied(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration with them."""
        changed: dict[str, Any] = dict(json.loads(json.dumps(raw)))
        changes = (
            ("broker", "cash", self.cash),
            ("data", "data_source", self.venue),
            ("data", "interval", self.interval),
        )
        for section, key, value in changes:
            if value is not None and isinstance(changed.get(section), dict):
                changed[section][key] = value
        if self.symbol is not None:
            changed["symbol"] = self.symbol
        return changed


@dataclass(frozen=True)
class Rules:
    """The rules of a market that only a file is known of; None: the default."""

    lot: Decimal | None = None
    tick: Decimal | None = None
    least: Decimal | None = None

    def words(self) -> str:
        """Return where the rules come from."""
        given = [rule is not None for rule in (self.lot, self.tick, self.least)]
        return "as given" if all(given) else "in part as given" if any(given) else "assumed for a file"


@dataclass(frozen=True)
class Market:
    """Candles and the rules they are traded by, with the words that say where these come from."""

    candles: Candles
    instrument: Instrument
    rules: str


def config_in_file(path: Path, overrides: Overrides) -> BotConfig:
    """Return the configuration in a file.

    Raises:
        CliError: it cannot be read. InvalidConfig: it is refused.
    """
    try:
        raw = parse_document(read_text(path))
    except BadDocument as error:
        raise CliError(f"{path}: {error}") from error
    if not isinstance(raw, Mapping):
        raise CliError(f"{path}: must be a JSON object, the configuration of one bot")
    return validate(overrides.applied(raw))


async def config_of_bot(bot_id: str, overrides: Overrides, data_dir: Path | None) -> tuple[BotConfig, BotRow]:
    """Return the configuration of a bot, and its row.

    Raises:
        UnknownBot, StoreUnavailable, InvalidConfig.
    """
    async with open_store(find_target(data_dir)) as store:
        row = await store.bots.get(bot_id)
    return validate(overrides.applied(row.config)), row


def candles_in_file(path: Path) -> Candles:
    """Return the candles in a CSV file.

    Raises:
        CliError: it cannot be read. BadCandles: at its first fault.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CliError(f"{path}: cannot be read: {error.strerror or error}") from error
    return parse_candles(data, str(path))


def market_in_file(path: Path, config: BotConfig, rules: Rules) -> Market:
    """Return the market of a CSV file: its rules are those given, or Binance's for BTC/USDT."""
    candles = candles_in_file(path)
    base, quote = _currencies(config.symbol)
    instrument = Instrument(
        venue=config.venue,
        symbol=f"{base}/{quote}",
        base=base,
        quote=quote,
        lot_step=rules.lot or DEFAULT_LOT,
        tick_size=rules.tick or min(DEFAULT_TICK, _finest(candles)),
        min_notional=DEFAULT_LEAST if rules.least is None else rules.least,
    )
    return Market(candles, instrument, rules.words())


async def market_at_venue(config: BotConfig, *, start: int, end: int, warmup: int) -> Market:
    """Return the market at the venue of the configuration, with its rules of today, warm-up candles before `start`.

    Raises:
        VenueUnavailable, VenueMisfit.
    """
    interval = config.data.interval
    gateway = Gateway()
    try:
        venue = CcxtData(gateway, config.venue)
        instrument = await venue.instrument(config.symbol, interval)
        since = start - (warmup + 1) * interval_ms(interval)
        found = await fetch_range(venue, instrument.symbol, interval, since=max(since, 0), until=end)
        now = await venue.fetch_time()
    finally:
        await gateway.close()
    closed = [candle for candle in found if next_open(candle.open_time, interval) <= min(now, end)]
    if not closed:
        raise CliError(f"{config.venue} has no candles of {instrument.symbol} for that time")
    return Market(_columns(closed), instrument, f"of {config.venue.name}")


def moment(text: str, option: str) -> int:
    """Return a date or a time, UTC if it does not say otherwise, in milliseconds.

    Raises:
        BadParameter: it is neither.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        words = f"{option} must be a date or time such as 2024-01-31 or 2024-01-31T12:00; was {text}"
        raise typer.BadParameter(words) from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def _columns(candles: list[VenueCandle]) -> Candles:
    columns = list(zip(*candles, strict=True))
    numbers = [np.array([float(value) for value in column], dtype=np.float64) for column in columns[1:]]
    return Candles(np.array(columns[0], dtype=np.int64), *numbers)


def _currencies(symbol: str) -> tuple[str, str]:
    if "/" in symbol:
        base, quote = symbol.split("/")
        return base, quote
    quote = next((each for each in _QUOTES if symbol.endswith(each) and symbol != each), "quote")
    return symbol.removesuffix(quote), quote


def _finest(candles: Candles) -> Decimal:
    """Return the finest step that the prices of a file are written in."""
    for decimals in range(_MOST_DECIMALS):
        scaled = candles.close * 10**decimals
        if np.allclose(scaled, np.rint(scaled), rtol=1e-12, atol=1e-9):
            return Decimal(1).scaleb(-decimals)
    return Decimal(1).scaleb(-_MOST_DECIMALS)
