"""`bots why`: what a bot sees, and why it does not trade now."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.text import Text
from temporalio.client import WorkflowExecutionDescription

from cli.bots.desk import Desk, open_desk
from cli.bots.tables import age, moment, price
from cli.options import AsJson, BotId, DataDir
from cli.output import OUT, CliError, emit_json, say
from cli.run import run
from db.overview import BotOverview
from domain.watch import Sighting
from workflows.command import StatusAnswer

app = typer.Typer(add_completion=False)

_WATCH = "watch_market"


@dataclass(frozen=True)
class Seen:
    """What a bot sees, as it was last reported.

    Attributes:
        source: `watch`, from the heartbeat of the watch that runs; `bot`, what the last finished watch returned.
        status: the bot's own answer; None while no worker can give it.
    """

    source: str
    sighting: Sighting
    reported_at: datetime | None
    status: StatusAnswer | None


@app.command()
def why(bot_id: BotId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show each condition of a bot's rule with its values on the last candle, its stops, and why there is no order."""
    run(_why(bot_id, as_json, data_dir))


async def _why(bot_id: str, as_json: bool, data_dir: Path | None) -> None:
    async with open_desk(data_dir) as desk:
        bot = await desk.store.bots.overview(bot_id)
        seen = await _look(desk, bot)
    if as_json:
        emit_json(
            {
                "bot_id": bot_id,
                "source": seen.source,
                "reported_at": seen.reported_at.isoformat() if seen.reported_at else None,
                "sighting": seen.sighting,
                "status": seen.status,
                "halted": bot.halted,
                "refused": bot.refused,
            }
        )
        return
    _show(bot, seen)


async def _look(desk: Desk, bot: BotOverview) -> Seen:
    if not await desk.runs(bot.bot_id):
        trouble = f": {bot.last_error}" if bot.last_error else ""
        advice = "" if bot.enabled and bot.last_error else f"; start it with `bots enable {bot.bot_id}`"
        raise CliError(f"{bot.bot_id} does not run, it is {bot.status}{trouble}{advice}")
    handle = await desk.handle(bot.bot_id)
    status = await desk.status(bot.bot_id)
    watched = await _heartbeat(desk, await handle.describe())
    if watched is not None:
        return Seen("watch", *watched, status)
    return Seen("bot", status.sighting if status else Sighting(), None, status)


async def _heartbeat(desk: Desk, run: WorkflowExecutionDescription) -> tuple[Sighting, datetime] | None:
    """Return what the bot's watch has last said, and when; None when it has said nothing yet."""
    converter = (await desk.client()).data_converter
    for pending in run.raw_description.pending_activities:
        if pending.activity_type.name == _WATCH and pending.heartbeat_details.payloads:
            [sighting] = await converter.decode(pending.heartbeat_details.payloads, [Sighting])
            return sighting, pending.last_heartbeat_time.ToDatetime(tzinfo=UTC)
    return None


def _show(bot: BotOverview, seen: Seen) -> None:
    sighting, status = seen.sighting, seen.status
    OUT.print(Text.assemble((bot.bot_id, "bold"), f" · {bot.symbol} · {status.status if status else bot.status}"))
    say(f"→ {sighting.verdict}", "bold cyan")
    if bot.halted:
        say(f"entries are halted: {bot.halted}", "red")
    if bot.refused:
        say(f"the venue refuses the keys, so there are no entries; exits are tried: {bot.refused}", "red")
    if status is None:
        say("no worker answers for it now: nothing trades until one runs", "yellow")
    for trouble in (*(status.problems if status else ()), status.last_error if status else None):
        if trouble:
            say(f"trouble: {trouble}", "red")
    if sighting.stale:
        say("the venue's newest candle is too old to trade on", "yellow")
    for condition in sighting.conditions:
        say(f"  {condition}", "green" if condition.holds else None)
    for name, value in _facts(seen):
        say(f"  {name:<16}{value}")


def _facts(seen: Seen) -> list[tuple[str, str]]:
    sighting, status = seen.sighting, seen.status
    levels = sighting.levels
    facts = []
    if sighting.candle_time is not None:
        facts.append(("last candle", f"opened {moment(_time(sighting.candle_time))}"))
    if sighting.price is not None:
        facts.append(("price", price(sighting.price)))
    if status is not None and status.position.quantity is not None:
        facts.append(("position", f"{status.position.quantity:f} @ {price(status.position.average_price)}"))
    for name, level in (("stop loss", levels.stop), ("take profit", levels.target), ("last stop", levels.last_stop)):
        if level is not None:
            facts.append((name, price(level)))
    if sighting.exit_state is not None and sighting.exit_state.stop is not None:
        logic = sighting.exit_state.logic.partition(":")[0]
        facts.append(("strategy stop", f"{sighting.exit_state.stop:,.8g} ({logic})"))
    reported = f"{age(seen.reported_at)} ago, by the watch" if seen.reported_at else "by the bot, after its last watch"
    return [*facts, ("reported", reported)]


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
