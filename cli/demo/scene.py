"""What the audience sees at one moment: plain values, so that it can be drawn, and tested, without anything running."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

Mood = Literal["plain", "good", "bad", "note"]
Phase = Literal["trading", "killed", "recovered", "closing"]


@dataclass(frozen=True)
class Line:
    """Something that happened. `who` is a bot's name, empty for the show itself."""

    at: datetime
    text: str
    who: str = ""
    mood: Mood = "plain"


@dataclass(frozen=True)
class Actor:
    """One bot. Money in quote; `pnl` counts the open position at the last price, `open_pct` is that position's gain.

    Attributes:
        prices: the last ones, oldest first.
        candle_age: seconds since the newest candle that its watch has seen began, on the venue's clock.
        watched: a worker has given a sign of it lately.
        fresh: something has happened to it within the last seconds.
    """

    name: str
    base: str
    state: str
    watched: bool
    price: Decimal | None
    prices: tuple[Decimal, ...]
    quantity: Decimal | None
    open_pct: Decimal | None
    pnl: Decimal
    trades: int
    wins: int
    candle_age: float | None
    event: str
    fresh: bool


@dataclass(frozen=True)
class Scene:
    """One moment of the show.

    Attributes:
        elapsed, seconds: since trading began, and until it ends.
        kill_at: when the worker is, or was, killed.
        worker: its process id; None while it is down.
        since_kill: seconds since the kill; while `killed`, how long nobody has watched.
        recovery: seconds from the kill until every bot was watched again.
    """

    phase: Phase
    elapsed: float
    seconds: float
    kill_at: float
    worker: int | None
    since_kill: float | None
    recovery: float | None
    actors: tuple[Actor, ...]
    lines: tuple[Line, ...]
    now: datetime
    link: str

    @property
    def trades(self) -> int:
        """Round trips so far."""
        return sum(actor.trades for actor in self.actors)

    @property
    def wins(self) -> int:
        """Round trips with a net profit."""
        return sum(actor.wins for actor in self.actors)

    @property
    def pnl(self) -> Decimal:
        """Profit of all bots, open positions at the last price."""
        return sum((actor.pnl for actor in self.actors), Decimal(0))

    @property
    def headline(self) -> tuple[str, Mood]:
        """What is going on, in a sentence."""
        bots = len(self.actors)
        match self.phase:
            case "trading":
                left = max(0, round(self.kill_at - self.elapsed))
                return f"{bots} bots trade on paper, their worker is killed in {left} s", "plain"
            case "killed":
                who = "NO WORKER" if self.worker is None else f"worker {self.worker} is starting"
                return f"{who}: nobody has watched for {self.since_kill or 0:.1f} s, nothing is forgotten", "bad"
            case "recovered":
                return f"killed, and back: every bot went on {self.recovery or 0:.1f} s later", "good"
            case "closing":
                return "the curtain falls: positions are closed, the last entries written", "note"
