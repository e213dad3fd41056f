"""Both sides as tables, for people."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from rich import box
from rich.table import Table
from rich.text import Text

from cli.bots.tables import moment
from cli.output import OUT, say, show
from cli.reconcile.report import AccountReport, Report
from domain.account_sides import Standing
from domain.model import ZERO
from domain.reconciliation import Comparison, CurrencyLine, OrderLine, Verdict

_WIDE = 120
_FINDINGS: dict[Verdict, str] = {
    "agrees": "agrees",
    "not_in_journal": "not in the journal",
    "stands_differently": "stands differently",
    "not_at_venue": "not at the venue",
    "foreign_order": "foreign, left alone",
    "foreign_trade": "traded by others",
}
_VERDICTS = {
    "agree": ("books and venue agree", "green"),
    "differ": ("books and venue differ; docs/reconciliation.md says what to do", "bold red"),
    "incomplete": ("not all could be asked: this is no clean bill", "bold red"),
}


def show_report(report: Report) -> None:
    """Print what was found, account by account, and the verdict."""
    for account in report.accounts:
        _show_account(account)
    if report.not_begun:
        say(f"not begun to trade live, without books yet: {', '.join(report.not_begun)}", "dim")
    text, style = _VERDICTS[report.verdict]
    say(text, style)


def _show_account(report: AccountReport) -> None:
    say(f"{report.account} · {', '.join(report.bots)}", "bold")
    if report.comparison is None:
        say(f"could not be asked: {report.trouble}", "red")
        return
    show(_currencies_table(report.comparison.currencies))
    _show_orders(report.comparison)
    for question in report.comparison.questions:
        say(f"{question.bot_id} buys nothing until this is explained: {question.text}", "red")
    _show_waiting(report)


def _show_waiting(report: AccountReport) -> None:
    """Say which books may be behind what the bots themselves know."""
    silent = [bot_id for bot_id, entries in report.waiting.items() if entries is None]
    for bot_id, entries in report.waiting.items():
        if entries:
            say(
                f"the journal of {bot_id} waits, entries not written yet: {entries}; its books here are behind",
                "yellow",
            )
    if silent:
        say(f"no worker answers for {', '.join(silent)}: whether a journal waits is not known", "yellow")


def _currencies_table(lines: Sequence[CurrencyLine]) -> Table:
    table = _table("currency", ">books", ">venue", ">of it locked", ">difference", "", "bots")
    for line in lines:
        remark = "missing" if line.difference < ZERO else "not allotted" if line.difference else ""
        table.add_row(
            line.currency,
            _exact(line.books),
            _exact(line.venue),
            _exact(line.locked),
            Text(f"{line.difference.normalize():+,f}" if line.difference else "0", style="red" if line.differs else ""),
            remark if line.differs or line.difference >= ZERO else f"{remark} for a moment",
            ", ".join(f"{bot_id} {_exact(amount)}" for bot_id, amount in line.bots.items()),
        )
    return table


def _show_orders(comparison: Comparison) -> None:
    agreeing = [line for line in comparison.orders if line.verdict == "agrees"]
    shown = [line for line in comparison.orders if line.verdict != "agrees" or (line.venue and line.venue.rests)]
    if shown:
        show(_orders_table(shown, width=OUT.width))
    say(f"orders of bots that stand alike on both sides: {len(agreeing)}", "dim")


def _orders_table(lines: Sequence[OrderLine], *, width: int) -> Table:
    """Return a table of orders; what does not fit into `width` characters is left out."""
    more = ("accepted",) if width >= _WIDE else ()
    table = _table("order", *more, "bot", "symbol", "side", ">quantity", "books", "venue", "finding")
    for line in lines:
        finding = "; ".join(filter(None, (_FINDINGS[line.verdict], line.detail)))
        table.add_row(
            line.client_order_id or line.venue_order_id,
            *([moment(_time(line.created_at))] if more else []),
            line.bot_id or "nobody's",
            line.symbol,
            line.side,
            _exact(line.quantity),
            _standing(line.journal),
            _standing(line.venue),
            Text(finding, style="red" if line.differs else ""),
        )
    return table


def _standing(standing: Standing | None) -> str:
    if standing is None:
        return "—"
    return f"{standing.status} {_exact(standing.filled)}" if standing.filled else standing.status


def _exact(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def _table(*columns: str) -> Table:
    """Return an empty table; a column that begins with > holds numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(
            column.removeprefix(">"), justify="right" if column.startswith(">") else "left", overflow="fold"
        )
    return table
