"""Tables of bots and their books, for people."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from rich import box
from rich.table import Table
from rich.text import Text

from db.bots import ConfigRecord
from db.overview import BotOverview
from db.reads import OrderRecord, TradeRecord
from domain.state import BotRow

_STATUS_STYLES = {
    "running": "green",
    "paused": "yellow",
    "starting": "cyan",
    "stopping": "cyan",
    "error": "bold red",
    "tripped": "bold red",
    "stopped": "dim",
}


_WIDE = 120
_PROSE = ("last event", "reason", "exit reason")


def bots_table(bots: Sequence[BotOverview], *, width: int) -> Table:
    """Return the list of bots; what does not fit into `width` characters is left out."""
    wide = width >= _WIDE
    more = (">price", ">candle", "mode", ">balance", "last event") if wide else ()
    table = _table("bot", "symbol", "status", ">position", ">P&L", *more)
    for bot in bots:
        cells: list[str | Text] = [
            bot.bot_id,
            bot.symbol or "?",
            status_text(bot),
            position_text(bot) if wide else number(bot.position_quantity),
            signed(bot.total_pnl),
        ]
        if wide:
            cells += [price(bot.price), age(bot.last_candle_at), bot.type or "?", number(bot.balance, places=2)]
            cells.append(_last_word(bot))
        table.add_row(*cells)
    return table


def facts_table(bot: BotOverview, row: BotRow, link: str | None) -> Table:
    """Return how a bot stands."""
    facts: list[tuple[str, str | Text]] = [
        ("bot", f"{bot.bot_id} · {bot.name or ''}"),
        ("symbol", f"{bot.symbol} · {bot.type}"),
        ("status", status_text(bot)),
        ("enabled", "yes" if bot.enabled else "no"),
        ("version", f"{bot.version}, in force {bot.in_force or 'none'}"),
        ("price", price(bot.price)),
        ("position", position_text(bot)),
        ("balance", number(bot.balance, places=2)),
        ("P&L", signed(bot.total_pnl)),
        ("last event", f"{bot.last_event or '—'} ({age(bot.last_event_at)} ago)" if bot.last_event_at else "—"),
        ("watched by", f"{bot.worker or '—'}, seen {age(bot.last_heartbeat)} ago" if bot.last_heartbeat else "—"),
    ]
    performance = row.carried.performance if row.carried else None
    if performance is not None:
        facts.append(("trades", f"{performance.trades}, {performance.wins} won"))
    for name, value in (
        ("refused version", bot.rejected_version),
        ("trouble", bot.last_error),
        ("degraded", bot.degraded),
        ("halted", bot.halted),
        ("keys refused", bot.refused),
        ("unknown order", _unknown_order(row)),
        ("difference", row.carried.difference if row.carried else None),
    ):
        if value is not None:
            facts.append((name, Text(str(value), style="red")))
    if link:
        facts.append(("Web UI", link))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, fact in facts:
        table.add_row(name, fact if isinstance(fact, Text) else Text(fact))
    return table


def _unknown_order(row: BotRow) -> str | None:
    """Return the order that only a person can look up, and what to do then."""
    unknown = row.carried.unknown if row.carried else None
    if unknown is None:
        return None
    intent = unknown.intent
    advice = f"look at the exchange, then: bots resolve {row.bot_id} --filled QUANTITY@PRICE, or --absent"
    return f"{intent.client_order_id}, {intent.side} {number(intent.quantity)}: {advice}"


def versions_table(versions: Sequence[ConfigRecord]) -> Table:
    """Return the versions that a configuration has had."""
    table = _table(">version", "author", "since", "enabled")
    for version in versions:
        enabled = "yes" if version.config.get("enabled") else "no"
        table.add_row(str(version.version), version.author, moment(version.created_at), enabled)
    return table


def orders_table(orders: Sequence[OrderRecord]) -> Table:
    """Return orders."""
    table = _table("order", "time", "symbol", "side", ">quantity", ">filled", ">price", "status", "reason")
    for order in orders:
        table.add_row(
            order.client_order_id,
            moment(order.created_at),
            order.symbol,
            Text(order.side, style="green" if order.side == "buy" else "red"),
            number(order.quantity),
            number(order.filled_quantity),
            price(order.average_price),
            order.status,
            " · ".join(filter(None, (order.reason, order.status_reason))),
        )
    return table


def trades_table(trades: Sequence[TradeRecord]) -> Table:
    """Return round trips."""
    table = _table("entry", "exit", "symbol", ">size", ">entry price", ">exit price", ">net P&L", ">%", "exit reason")
    for trade in trades:
        table.add_row(
            moment(trade.entry_time),
            moment(trade.exit_time),
            trade.symbol,
            number(trade.size),
            price(trade.entry_price),
            price(trade.exit_price),
            signed(trade.net_pnl),
            signed(trade.pnl_percentage),
            trade.exit_reason or "—",
        )
    return table


def status_text(bot: BotOverview) -> Text:
    """Return the status of a bot, with what is remarkable about it."""
    remarks = [
        "halted" if bot.halted else "",
        "keys refused" if bot.refused else "",
        "degraded" if bot.degraded else "",
        "paused" if bot.paused and bot.status != "paused" else "",
        "enabled" if bot.enabled and bot.status == "stopped" else "",
        "disabled" if not bot.enabled and bot.status not in ("stopped", "stopping") else "",
        f"v{bot.version} refused" if bot.newest_refused else "",
    ]
    text = ", ".join(filter(None, (bot.status, *remarks)))
    return Text(text, style=_STATUS_STYLES.get(bot.status, ""))


def position_text(bot: BotOverview) -> str:
    """Return what a bot holds."""
    if bot.position_quantity is None:
        return "flat"
    return f"{number(bot.position_quantity)} @ {price(bot.position_price)}"


def price(value: Decimal | None) -> str:
    """Return a price with as many decimal places as its size deserves."""
    return number(value, places=2 if value is None or value >= 100 else 4 if value >= 1 else 8)


def number(value: Decimal | None, *, places: int = 8) -> str:
    """Return a number with so many decimal places at most, a dash for none."""
    if value is None:
        return "—"
    rounded = round(value, places)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text and places > 2 else text


def signed(value: Decimal | None) -> Text:
    """Return a profit in green or a loss in red, to the cent."""
    if value is None:
        return Text("—")
    style = "green" if value > 0 else "red" if value < 0 else "dim"
    return Text(f"{value:+,.2f}" if value else "0.00", style=style)


def age(moment_: datetime | None) -> str:
    """Return how long ago something was, in its largest unit."""
    if moment_ is None:
        return "—"
    seconds = int((datetime.now(UTC) - moment_).total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{max(seconds, 0)}s"


def moment(value: datetime | None) -> str:
    """Return a moment in UTC, to the second."""
    return "—" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _last_word(bot: BotOverview) -> Text:
    if bot.last_error and bot.status in ("error", "tripped"):
        return Text(bot.last_error, style="red")
    return Text(bot.last_event or "—")


def _table(*columns: str) -> Table:
    """Return an empty table; a column that begins with > holds numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for column in columns:
        prose = column in _PROSE
        table.add_column(
            column.removeprefix(">"),
            justify="right" if column.startswith(">") else "left",
            no_wrap=not prose,
            overflow="fold" if prose else "ellipsis",
        )
    return table
