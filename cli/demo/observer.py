"""Watches the show from the audience's side: reads the database, once a look, and tells what is new."""

import re
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from cli.demo.clock import VenueClock
from cli.demo.scene import Actor, Line, Mood
from db.bots import BotRepository
from db.overview import BotOverview
from db.reads import BotSummary, EventRecord, Reads

PRICES_KEPT = 60
LINES_KEPT = 50
# Signs of life are written twice a second; a process that has none to write for so long watches nothing.
UNWATCHED = timedelta(seconds=3)
FRESH = timedelta(seconds=2)
_EVENTS_READ = 8
_DULL = {"book_opened", "config_applied", "position_reduced"}


class Observer:
    """Remembers what a single look cannot show: prices of the last minute, and which events are old."""

    def __init__(self, bots: BotRepository, reads: Reads, clock: VenueClock) -> None:
        self._bots = bots
        self._reads = reads
        self._clock = clock
        self._prices: dict[str, deque[Decimal]] = {}
        self._heard: dict[str, datetime | None] = {}
        self._seen: dict[str, int] = {}
        self.lines: list[Line] = []
        self.overviews: Sequence[BotOverview] = ()

    def tell(self, text: str, mood: Mood) -> Line:
        """Add a line of the show itself."""
        line = Line(datetime.now(UTC), text, mood=mood)
        self.lines.append(line)
        return line

    async def look(self) -> tuple[Actor, ...]:
        """Read everything anew; new events are added to the lines."""
        self.overviews = await self._bots.list_overview()
        summaries = {summary.bot_id: summary for summary in await self._reads.summary()}
        fresh: list[Line] = []
        actors = []
        for bot in self.overviews:
            events = await self._reads.events(bot.bot_id, limit=_EVENTS_READ)
            fresh += self._news(bot, events)
            actors.append(self._actor(bot, summaries[bot.bot_id], events))
        # In the order in which it happened, which is not that in which it was read.
        self.lines = sorted(self.lines + fresh, key=lambda line: line.at)[-LINES_KEPT:]
        return tuple(actors)

    def watched_since(self, moment: datetime, venue_moment: datetime) -> bool:
        """Tell whether every bot has given a sign of life, and seen a candle, since a moment, as of the last look."""
        return bool(self.overviews) and all(
            bot.last_heartbeat is not None
            and bot.last_heartbeat > moment
            and bot.last_candle_at is not None
            and bot.last_candle_at > venue_moment
            for bot in self.overviews
        )

    def _news(self, bot: BotOverview, events: Sequence[EventRecord]) -> list[Line]:
        last = self._seen.get(bot.bot_id, 0)
        self._seen[bot.bot_id] = max([last, *(event.n for event in events)])
        return [
            Line(event.at, shortened(event.message), who=bot.name or bot.bot_id, mood=_mood(event))
            for event in reversed(events)
            if event.n > last and event.type not in _DULL
        ]

    def _actor(self, bot: BotOverview, summary: BotSummary, events: Sequence[EventRecord]) -> Actor:
        prices = self._prices.setdefault(bot.bot_id, deque(maxlen=PRICES_KEPT))
        if bot.price is not None and bot.last_heartbeat != self._heard.get(bot.bot_id):
            self._heard[bot.bot_id] = bot.last_heartbeat
            prices.append(bot.price)
        now, told = datetime.now(UTC), [event for event in events if event.type not in _DULL]
        return Actor(
            name=bot.name or bot.bot_id,
            base=(bot.symbol or "?").partition("/")[0],
            state=bot.status,
            watched=bot.last_heartbeat is not None and now - bot.last_heartbeat < UNWATCHED,
            price=bot.price,
            prices=tuple(prices),
            quantity=bot.position_quantity,
            open_pct=_open_pct(bot),
            pnl=bot.total_pnl + _open_pnl(bot),
            trades=summary.trades,
            wins=summary.wins,
            candle_age=_age(self._clock.now(), bot.last_candle_at),
            event=brief(told[0]) if told else "waits for a signal",
            fresh=bool(told) and now - told[0].at < FRESH,
        )


def shortened(message: str) -> str:
    """Return an event without what the table says anyway: quote currency, and names of logics."""
    text = message.replace(" USDT", "").replace("position closed: ", "closed ").replace("Mixin", "")
    return text.replace(": RSIBBVolumeEntry", "").replace("ATRExit", "trailing stop").replace("_", " ")


def brief(event: EventRecord) -> str:
    """Return an event in a few words, for beside the position: `bought @ 97572.17`, `-22.11 stop loss`."""
    text = shortened(event.message)
    if found := re.fullmatch(r"bought .*(@ \S+)", text):
        return f"bought {found[1]}"
    if found := re.fullmatch(r"closed ([+-][\d.]+) \(.*\), (.*)", text):
        return f"{Decimal(found[1]):+.2f} {found[2]}"
    return text


def _mood(event: EventRecord) -> Mood:
    if event.severity != "info":
        return "bad"
    if event.type == "position_closed":
        return "bad" if ": -" in event.message else "good"
    return "plain"


def _open_pnl(bot: BotOverview) -> Decimal:
    if bot.position_quantity is None or bot.position_price is None or bot.price is None:
        return Decimal(0)
    return bot.position_quantity * (bot.price - bot.position_price)


def _open_pct(bot: BotOverview) -> Decimal | None:
    if not bot.position_quantity or not bot.position_price or bot.price is None:
        return None
    return (bot.price / bot.position_price - 1) * 100


def _age(now: datetime, then: datetime | None) -> float | None:
    return None if then is None else max(0.0, (now - then).total_seconds())
