"""What the demo says at its end: the books of each bot, the audit, and whether all of it is as promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.audit import Audit
from cli.bots.tables import signed
from cli.demo.director import Performance
from cli.demo.passage import Passage
from db.reads import BotSummary

FULL_SECONDS = 60.0
LEAST_ROUND_TRIPS = 10

NEXT_STEPS = """\
[bold]Your own bots[/], with a database that stays:
  python starter.py up
and in another terminal:
  python starter.py bots create --template rsi --symbols BTC/USDT,ETH/USDT
  python starter.py bots list
README.md goes on from there; [bold]python starter.py demo --seed 2[/] plays another market."""


@dataclass(frozen=True)
class Report:
    """Everything that the end is told from."""

    performance: Performance
    audit: Audit
    bots: Sequence[BotSummary]
    passages: Mapping[str, Passage] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """What is not as promised; nothing of it means success."""
        played, audit = self.performance, self.audit
        problems = list(audit.findings)
        if not played.stopped:
            problems.append("not every bot has ended in time")
        if played.kill is not None and played.kill.recovery is None:
            problems.append("after the kill not every bot was watched again")
        if played.elapsed >= FULL_SECONDS and audit.round_trips < LEAST_ROUND_TRIPS:
            problems.append(
                f"{audit.round_trips} round trips in {played.elapsed:.0f} s; at least {LEAST_ROUND_TRIPS} were expected"
            )
        return problems + [f"{bot}: {p.problem}" for bot, p in self.passages.items() if p.problem]


def summary(report: Report) -> RenderableType:
    """Return the end of the demo."""
    problems = report.problems
    verdict = Text("\n".join(f"✗ {problem}" for problem in problems), style="bold red")
    return Group(
        Text(""),
        _books(report),
        _audit(report.audit),
        _kill(report.performance),
        verdict if problems else Text(""),
        Panel(NEXT_STEPS, box=box.ROUNDED, border_style="cyan", title="what next", title_align="left", expand=False),
    )


def _books(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_footer=True)
    bots = report.bots
    net = sum((bot.net_pnl for bot in bots), Decimal(0))
    table.add_column("bot", "total", no_wrap=True)
    for title, total in (
        ("orders", str(sum(bot.orders for bot in bots))),
        ("trades", str(sum(bot.trades for bot in bots))),
        ("won", str(sum(bot.wins for bot in bots))),
        ("fees", f"{sum((bot.commission for bot in bots), Decimal(0)):,.2f}"),
        ("P&L", signed(net)),
    ):
        table.add_column(title, total, justify="right", no_wrap=True)
    if report.passages:
        table.add_column("through the kill", "", overflow="fold")
    for bot in bots:
        figures = (str(bot.orders), str(bot.trades), str(bot.wins), f"{bot.commission:,.2f}", signed(bot.net_pnl))
        passage = report.passages.get(bot.bot_id)
        table.add_row(Text(bot.name or bot.bot_id, style="bold"), *figures, *([passage.text] if passage else []))
    return table


def _audit(audit: Audit) -> Text:
    style, mark = ("green", "✓") if audit.clean else ("bold red", "✗")
    verdict = "equals" if audit.clean else "differs from"
    compared = f"{audit.orders} orders, {audit.fills} fills, {audit.round_trips} round trips compared"
    counts = f"{len(audit.duplicates)}, missing: {len(audit.missing)}, different: {len(audit.mismatches)}"
    return Text.assemble(
        (f"{mark} the journal {verdict} the workflow histories", style),
        f": {compared}\n",
        (f"{mark} duplicates: {counts}", style),
    )


def _kill(played: Performance) -> Text:
    kill = played.kill
    if kill is None:
        return Text("the show ended before the worker was killed", style="dim")
    killed = f"worker {kill.pid} was killed with SIGKILL after {kill.elapsed:.0f} s"
    if kill.recovery is None:
        return Text(f"✗ {killed}, and not every bot came back", style="bold red")
    back = Text.assemble(
        f"; {kill.successor} took over: ", (f"{kill.recovery:.1f} s", "bold"), " until all were watched"
    )
    return Text.assemble(("✓ ", "green"), killed, back)
