"""What goes wrong at the venue: 30 % of all calls, drawn by the seed."""

import random
from collections.abc import Sequence
from typing import Any

ORDER = "POST /api/v3/order"
READ = "GET /*"

# Probabilities, by what they happen to. Every call meets about one of the first list in four; a new order has the
# second list on top, because that is where it hurts.
_ANYWHERE: Sequence[tuple[float, dict[str, Any]]] = (
    (0.015, {"kind": "rate_limit", "status": 429, "retry_after": 1}),
    (0.03, {"kind": "reset"}),
    (0.03, {"kind": "http_error", "status": 500}),
    (0.02, {"kind": "http_error", "status": 503}),
    (0.02, {"kind": "http_error", "status": 504, "html": True}),
    (0.01, {"kind": "hang", "seconds": 3}),
    (0.09, {"kind": "delay", "before_ms": 100, "after_ms": 200}),
    (0.06, {"kind": "delay", "before_ms": 600}),
)
_READS: Sequence[tuple[float, dict[str, Any]]] = ((0.02, {"kind": "garbage"}),)
_ORDERS: Sequence[tuple[float, dict[str, Any]]] = (
    (0.05, {"kind": "drop_answer"}),
    (0.04, {"kind": "accept_504"}),
    (0.03, {"kind": "garbage"}),
    (0.06, {"kind": "delay", "before_ms": 2_500}),
    (0.10, {"kind": "partial_fills", "parts": 2, "share": "0.5"}),
    (0.05, {"kind": "partial_fills", "parts": 3}),
)
# The answer is lost, and for a moment the venue does not show what it has accepted: equal draws of equal faults make
# both happen to the same orders. For so long it must be looked for.
_HIDDEN_PROBABILITY, _HIDDEN_MS = 0.06, 2_500


def mix(seed: int) -> list[dict[str, Any]]:
    """Return the faults of a run, as the simulator takes them."""
    chance = random.Random(f"faults {seed}")
    lists = ((_ORDERS, ORDER), (_READS, READ), (_ANYWHERE, "*"))
    drawn = [
        {**fault, "endpoint": endpoint, "probability": probability, "seed": chance.randrange(2**31)}
        for faults, endpoint in lists
        for probability, fault in faults
    ]
    hidden = {"endpoint": ORDER, "probability": _HIDDEN_PROBABILITY, "seed": chance.randrange(2**31)}
    return [
        {"kind": "drop_answer", **hidden},
        {"kind": "invisible_order", "for_ms": _HIDDEN_MS, **hidden},
        *drawn,
    ]


def slow_orders(milliseconds: int) -> dict[str, Any]:
    """Return a fault by which every new order arrives late: long enough to do something to it on its way."""
    return {"kind": "delay", "before_ms": milliseconds, "endpoint": ORDER}


class Tally:
    """How much has gone wrong, summed over all times at which faults were set."""

    def __init__(self) -> None:
        self.calls = 0
        self.fired = 0
        self.refused = 0

    def add(self, shown: Sequence[dict[str, Any]]) -> None:
        """Add what the simulator counts of the faults that are set."""
        # One fault of the mix, and only one of its kind, sees every call.
        self.calls += sum(fault["seen"] for fault in shown if fault["kind"] == "rate_limit")
        self.fired += sum(fault["fired"] for fault in shown)
        self.refused += sum(fault["fired"] for fault in shown if fault["kind"] == "rate_limit")

    def __str__(self) -> str:
        share, refused = (100 * number / max(self.calls, 1) for number in (self.fired, self.refused))
        return f"{self.fired} faults in {self.calls} calls ({share:.0f} %; 429: {refused:.1f} %)"
