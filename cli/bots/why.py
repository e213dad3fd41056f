"""`bots why`: what a bot sees, and why it does not trade now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.text import Text

from cli.bots.desk import Desk, open_desk
from cli.bots.pending import WATCH, Failing, Pending, failing, pending_of, time_of
from cli.bots.tables import age, moment, price
from cli.options import AsJson, BotId, DataDir
from cli.output import OUT, CliError, emit_json, say
from cli.run import run
from db.overview import BotOverview
from domain.watch import Sighting
from workflows.command import StatusAnswer

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Seen:
    """What a bot sees, as it was last reported.

    Attributes:
        source: `watch`, from the heartbeat of the watch that runs; `bot`, what the last finished watch returned.
        status: the bot's own answer; None while no worker can give it.
        failing: what it has asked for in vain so far.
    """

    source: str
    sighting: Sighting
    reported_at: datetime | None
    status: StatusAnswer | None
    failing: Sequence[Failing]

    @property
    def verdict(self) -> str:
        """Why there is no order now."""
        if self.has_looked:
            return self.sighting.verdict
        if self.obstacle is not None:
            return f"waiting: {self.obstacle}"
        if self.status is None:
            return "nobody has looked at its market yet"
        if self.status.status == "starting":
            return "its configuration is being checked"
        return "it has no valid configuration" if self.status.problems else self.sighting.verdict

    @property
    def has_looked(self) -> bool:
        """Whether anything was ever seen."""
        return self.sighting != Sighting()

    @property
    def obstacle(self) -> Failing | None:
        """What the bot waits for before it can look at its market."""
        return next((each for each in self.failing if each.holds_up_trading), None)


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
                "failing": seen.failing,
                "degraded": bot.degraded,
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
    activities = pending_of(await (await desk.handle(bot.bot_id)).describe())
    status = await desk.status(bot.bot_id)
    watched = await _heartbeat(desk, activities)
    if watched is not None:
        return Seen("watch", *watched, status, failing(activities))
    return Seen("bot", status.sighting if status else Sighting(), None, status, failing(activities))


async def _heartbeat(desk: Desk, activities: Sequence[Pending]) -> tuple[Sighting, datetime] | None:
    """Return what the bot's watch has last said, and when; None when it has said nothing yet."""
    converter = (await desk.client()).data_converter
    for pending in activities:
        if pending.activity_type.name == WATCH and pending.heartbeat_details.payloads:
            [sighting] = await converter.decode(pending.heartbeat_details.payloads, [Sighting])
            return sighting, time_of(pending.last_heartbeat_time)
    return None


def _show(bot: BotOverview, seen: Seen) -> None:
    sighting, status = seen.sighting, seen.status
    OUT.print(Text.assemble((bot.bot_id, "bold"), f" · {bot.symbol} · {status.status if status else bot.status}"))
    say(f"→ {seen.verdict}", "bold cyan")
    if bot.halted:
        say(f"entries are halted: {bot.halted}", "red")
    if bot.refused:
        say(f"the venue refuses the keys, so there are no entries; exits are tried: {bot.refused}", "red")
    if status is None:
        say("no worker answers for it now: nothing trades until one runs", "yellow")
    for trouble in _troubles(bot, seen):
        say(f"trouble: {trouble}", "red")
    if sighting.stale:
        say("the venue's newest candle is too old to trade on", "yellow")
    for condition in sighting.conditions:
        say(f"  {condition}", "green" if condition.holds else None)
    for name, value in _facts(seen):
        say(f"  {name:<16}{value}")


def _troubles(bot: BotOverview, seen: Seen) -> Iterator[str]:
    status = seen.status
    if status is not None:
        last_error = status.last_error or ""
        # What refused a version is a part of the last error, until another one takes its place.
        yield from (problem for problem in status.problems if problem not in last_error)
        if last_error:
            yield last_error
    yield from (str(each) for each in seen.failing if seen.has_looked or each is not seen.obstacle)
    if status is not None and status.journal_waiting and any(not each.holds_up_trading for each in seen.failing):
        yield f"{status.journal_waiting} entries of the journal wait for the database; the bot trades on"
    if bot.degraded:
        yield f"{bot.degraded} (as of {age(bot.last_heartbeat)} ago)"


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
    facts += _orders(status)
    known = (("stop loss", levels.stop), ("take profit", levels.target), ("next part", levels.take))
    for name, level in (*known, ("last stop", levels.last_stop)):
        if level is not None:
            facts.append((name, price(level)))
    if sighting.exit_state is not None and sighting.exit_state.stop is not None:
        logic = sighting.exit_state.logic.partition(":")[0]
        facts.append(("strategy stop", f"{sighting.exit_state.stop:,.8g} ({logic})"))
    if seen.reported_at is not None:
        facts.append(("reported", f"{age(seen.reported_at)} ago, by the watch"))
    elif seen.has_looked:
        facts.append(("reported", "by the bot, after its last watch"))
    return facts


def _orders(status: StatusAnswer | None) -> Iterator[tuple[str, str]]:
    for order in status.resting if status is not None else ():
        yield "exchange stop" if order.type == "stop" else f"offer to {order.side}", price(order.price)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
