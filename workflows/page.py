"""The page of a bot in the Temporal Web UI: what a trader wants to know, in Markdown."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from domain.decisions import Condition
from domain.instruments import Instrument
from domain.model import Money
from domain.state import BotState
from domain.watch import RestingOrder


def page(state: BotState) -> str:
    """Return the current details of a bot."""
    return "\n\n".join(filter(None, (_headline(state), _market(state), _position(state), _rules(state), _books(state))))


def summary(state: BotState) -> str:
    """Return one line: what is traded, and how the bot stands."""
    config, instrument = state.config, state.instrument
    if config is None or instrument is None:
        return state.status
    held = "flat" if state.carried.book.position is None else "in position"
    return f"{instrument.symbol} {config.data.interval} · {state.status} · {held}"


def _headline(state: BotState) -> str:
    name = state.config.name if state.config else state.row.bot_id
    lines = [f"# {name}", f"**{summary(state)}** · configuration version {state.carried.version}"]
    if state.rejected_version is not None and state.problems:
        lines.append(f"⚠️ version {state.rejected_version} was refused: " + "; ".join(state.problems))
    if state.fresh and state.config:
        lines.append(f"Version {state.row.version} is being checked; until then there are no entries")
    if state.last_error and state.status == "error":
        lines.append(f"⚠️ {state.last_error}")
    if state.carried.unknown is not None:
        name = state.carried.unknown.intent.client_order_id
        lines.append(f"⚠️ Order {name} is unknown: look at the exchange, then `bots resolve {state.row.bot_id}`")
    lines += [_offer(order, state.instrument) for order in state.resting_orders if order.type == "limit"]
    if state.carried.difference is not None:
        lines.append(f"⚠️ Books and venue differ, nothing is bought: {state.carried.difference}")
    if state.last_event:
        lines.append(f"Last event: {state.last_event}")
    return "\n\n".join(lines)


def _market(state: BotState) -> str:
    seen = state.sighting
    if seen.price is None:
        return ""
    stale = " · **market data is stale**" if seen.stale else ""
    return f"Price {seen.price.normalize():f} when last reported · {seen.verdict}{stale}"


def _position(state: BotState) -> str:
    position, instrument = state.carried.book.position, state.instrument
    if position is None or instrument is None:
        return ""
    levels = state.levels
    rows = [
        ("quantity", f"{position.qty_open.normalize():f} {instrument.base}"),
        ("average price", _money(position.avg_price, instrument.quote)),
        ("cost", _money(position.cost, instrument.quote)),
    ]
    rows += [("stop at the exchange", _money(each.price, instrument.quote)) for each in _stops(state)]
    known = (
        ("stop loss", levels.stop),
        ("take profit", levels.target),
        ("next part", levels.take),
        ("last stop", levels.last_stop),
    )
    rows += [(name, _money(level, instrument.quote)) for name, level in known if level is not None]
    exit_state = state.carried.exit_state
    if exit_state is not None and exit_state.stop is not None:
        rows.append((f"stop of {exit_state.logic.partition(':')[0]}", f"{exit_state.stop:.8g} {instrument.quote}"))
    return _section("Position", rows)


def _stops(state: BotState) -> Iterator[RestingOrder]:
    return (order for order in state.resting_orders if order.type == "stop")


def _offer(order: RestingOrder, instrument: Instrument | None) -> str:
    verb = "buy" if order.side == "buy" else "sell"
    return f"An order to {verb} rests at {_money(order.price, instrument.quote if instrument else '')}"


def _rules(state: BotState) -> str:
    conditions = state.sighting.conditions
    if not conditions:
        return ""
    return _section(
        "Conditions on the last candle reported",
        [(f"{_mark(c)} {c.name}", f"{c.left:.8g} {c.op} {c.right:.8g}") for c in conditions],
    )


def _books(state: BotState) -> str:
    instrument, book, performance = state.instrument, state.carried.book, state.carried.performance
    if instrument is None:
        return ""
    rows = [("cash", _money(book.cash, instrument.quote))]
    if book.dust.quantity:
        rows.append(("dust", f"{book.dust.quantity.normalize():f} {instrument.base}"))
    if performance is not None:
        rows.append(("closed trades", f"{performance.trades}, {performance.wins} won"))
        rows.append(("profit", _money(performance.total_pnl, instrument.quote)))
    if state.outbox:
        rows.append(("journal entries waiting", str(len(state.outbox))))
    return _section("Books", rows)


def _section(title: str, rows: Sequence[tuple[str, str]]) -> str:
    """Return a heading and a list; the Web UI sets the cells of a table without any space between them."""
    return f"## {title}\n\n" + "\n".join(f"- {name}: **{value}**" for name, value in rows)


def _money(value: Money | None, currency: str) -> str:
    return "—" if value is None else f"{value.quantize(Decimal('1e-8')).normalize():f} {currency}"


def _mark(condition: Condition) -> str:
    return "✅" if condition.holds else "❌"
