"""`bots create`: new bots from a template, one for each symbol."""

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.bots.announcing import announce_config
from cli.bots.desk import open_desk
from cli.options import DataDir, Wait
from cli.output import CliError, say
from cli.plugged import validate
from cli.run import run
from cli.store import author
from domain.config_errors import InvalidConfig, Problem, shown
from domain.errors import UnknownBot
from domain.templates import bot_from_template, templates

app = typer.Typer(add_completion=False)

_TEMPLATES = " ".join(f"{template.name}: {template.description}" for template in templates())


@app.command()
def create(
    *,
    symbols: Annotated[str, typer.Option(metavar="A,B", help="Symbols, such as BTC/USDT,ETH/USDT; a bot for each.")],
    template: Annotated[str, typer.Option(metavar="NAME", help=_TEMPLATES)] = "rsi",
    venue: Annotated[str, typer.Option(metavar="ID", help="ccxt id of the exchange.")] = "binance",
    interval: Annotated[str, typer.Option(metavar="INTERVAL", help="Length of a candle, 1s to 1M.")] = "1h",
    cash: Annotated[float, typer.Option(metavar="AMOUNT", help="Starting cash of each bot, in quote currency.")] = 1000,
    id_prefix: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Ids are TEXT_symbol; the template's name if unset.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Another host: a proxy, a simulator.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Any key, as trading.position_size=0.2; may be repeated."),
    ] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Do not start them yet.")] = False,
    wait: Wait = 10.0,
    data_dir: DataDir = None,
) -> None:
    """Make paper bots from a template, and start them."""
    make = partial(
        bot_from_template,
        template,
        venue=venue,
        interval=interval,
        cash=cash,
        enabled=not disabled,
        base_url=base_url,
    )
    named = {bot_id(id_prefix or template, symbol): symbol for symbol in _split(symbols)}
    run(_create(lambda: [_changed(make(id=key, symbol=named[key]), changes or ()) for key in named], wait, data_dir))


def bot_id(prefix: str, symbol: str) -> str:
    """Return the id of a bot for a symbol: `rsi_btcusdt`."""
    return f"{prefix}_{re.sub('[^a-z0-9]', '', symbol.lower())}"


async def _create(make: Callable[[], list[dict[str, Any]]], wait: float, data_dir: Path | None) -> None:
    configs = make()
    _check(configs)
    async with open_desk(data_dir) as desk:
        for config in configs:
            try:
                await desk.store.bots.get(config["id"])
            except UnknownBot:
                continue
            raise CliError(f"there is a bot {config['id']} already, nothing was made; choose another --id-prefix")
        rows = [await desk.store.bots.create(config["id"], config, author=author()) for config in configs]
        for row in rows:
            config = row.config
            mode = config["broker"]["trading_mode"]
            say(f"made {row.bot_id}: {config['symbol']} {config['data']['interval']}, {mode}")
        await announce_config(desk, {row.bot_id: row.version for row in rows if row.enabled}, wait=wait)
    _next([row.bot_id for row in rows], started=any(row.enabled for row in rows))


def _next(ids: Sequence[str], *, started: bool) -> None:
    if started:
        say(f"Next: python starter.py bots list, or why a bot waits: python starter.py bots why {ids[0]}")
    else:
        say(f"Start them with: python starter.py bots enable {' '.join(ids)}")


def _check(configs: Sequence[dict[str, Any]]) -> None:
    """Refuse all if one is invalid: they differ in their symbols only."""
    problems: list[Problem] = []
    for config in configs:
        try:
            validate(config)
        except InvalidConfig as error:
            problems += error.problems
    if problems:
        raise InvalidConfig(dict.fromkeys(problems))


def _split(symbols: str) -> list[str]:
    found = list(dict.fromkeys(symbol.strip() for symbol in symbols.split(",") if symbol.strip()))
    if not found:
        raise typer.BadParameter("expected at least one symbol, such as BTC/USDT", param_hint="--symbols")
    return found


def _changed(config: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Set keys by their dotted paths; a value is JSON, or else text."""
    for change in changes:
        path, equals, text = change.partition("=")
        *sections, key = path.strip().split(".")
        if not equals or not key:
            raise typer.BadParameter(f"expected PATH=VALUE; was {change!r}", param_hint="--set")
        place: Any = config
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                message = f"{path}: {section} holds {shown(place)}, which has no keys"
                raise typer.BadParameter(message, param_hint="--set")
        place[key] = _value(text)
    return config


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
