"""What the risk limits must remember: it lives in the bot's workflow, so it survives every restart. Pure.

All times are the venue's, and a day is a UTC day of the venue's clock.
"""

from domain.intervals import DAY_MS
from domain.model import ZERO, Milliseconds, Model, Money, exact


class Guards(Model):
    """Counts of the running UTC day, and of the last exit.

    Attributes:
        day: days since 1970 that the counts belong to.
        entries: entry orders filled that day.
        realized: net profit of the trades closed that day, in quote.
        last_exit: time of the last exit; None before the first.
        alerted_day: the day of the last risk alert, so that a limit alerts once a day.
    """

    day: int = 0
    entries: int = 0
    realized: Money = ZERO
    last_exit: Milliseconds | None = None
    alerted_day: int | None = None

    def on_day(self, moment: int) -> "Guards":
        """Return the guards as they stand at `moment`: a new UTC day starts its counts at zero.

        An earlier day does not: the venue's clock is measured, and a step back across midnight must not forget.
        """
        day = moment // DAY_MS
        if day <= self.day:
            return self
        return self.model_copy(update={"day": day, "entries": 0, "realized": ZERO})

    def after_entry(self, moment: int) -> "Guards":
        """Return the guards after an entry was filled."""
        today = self.on_day(moment)
        return today.model_copy(update={"entries": today.entries + 1})

    @exact()
    def after_exit(self, moment: int, net_pnl: Money) -> "Guards":
        """Return the guards after a trade was closed."""
        today = self.on_day(moment)
        return today.model_copy(update={"realized": today.realized + net_pnl, "last_exit": moment})

    def after_alert(self, moment: int) -> "Guards":
        """Return the guards after a risk alert was sent."""
        today = self.on_day(moment)
        return today.model_copy(update={"alerted_day": today.day})
