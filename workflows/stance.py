"""How a bot stands, and what its next watch must know: plain functions of its state."""

from collections.abc import Iterator

from domain.config import BotConfig
from domain.instruments import Instrument
from domain.journal import BotStatus
from domain.state import BotState
from domain.watch import WatchRequest
from workflows.command import Command

ORDER_RESTS = "an order rests at its limit"

_FIRST_BACKOFF, _LONGEST_BACKOFF, _LONGEST_EXIT_BACKOFF = 5.0, 300.0, 15.0


def status_of(state: BotState) -> BotStatus:
    """Return the status that a bot shows while it has not stopped."""
    if not state.enabled:
        return "stopping"
    if state.failures or state.carried.unknown or (state.config is None and state.problems):
        return "error"
    if state.config is None:
        return "starting"
    return "paused" if state.paused else "running"


def gate(state: BotState, *, journal_full: bool) -> str | None:
    """Return why no entry may be made, or None. Exits pass every gate."""
    return next(filter(None, _obstacles(state, journal_full=journal_full)), None)


def _obstacles(state: BotState, *, journal_full: bool) -> Iterator[str | None]:
    unknown, difference = state.carried.unknown, state.carried.difference
    yield None if state.enabled else "the bot is stopping"
    yield "paused" if state.paused else None
    yield f"version {state.row.version} of the configuration is not in force yet" if state.fresh else None
    yield f"order {unknown.intent.client_order_id} is unknown: a person has to resolve it" if unknown else None
    yield f"books and venue differ ({difference}): a person has to explain it" if difference else None
    yield "the journal is full until the database is back" if journal_full else None
    yield "the strategy has failed and is tried again" if state.guarding else None
    yield ORDER_RESTS if state.resting is not None else None  # the last: all others withdraw such an order


def backoff_seconds(state: BotState) -> float:
    """Return how long to wait after a failure: twice as long after each one, at most five minutes.

    An exit that cannot be carried through does not wait so long: the venue may be back at any moment.
    """
    longest = _LONGEST_BACKOFF if state.carried.exiting is None else _LONGEST_EXIT_BACKOFF
    return float(min(_FIRST_BACKOFF * 2 ** min(state.failures - 1, 10), longest))


def watch_request(
    state: BotState,
    config: BotConfig,
    instrument: Instrument,
    command: Command | None,
    *,
    closed: str | None,
    jitter: float,
) -> WatchRequest:
    """Return what the next watch must know.

    Args:
        closed: why no entry may be made, or None.
        jitter: factor of the segment's length, about 1, so that a fleet's segments do not end together.
    """
    carried = state.carried
    seconds = backoff_seconds(state) if state.guarding else state.options.segment_seconds
    return WatchRequest(
        bot_id=state.row.bot_id,
        uid=state.row.uid,
        config=config,
        config_version=carried.version,
        instrument=instrument,
        book=carried.book,
        exit_state=carried.exit_state,
        guards=carried.guards,
        gate=closed,
        acted_candle=carried.acted_candle,
        command=command.order if command else None,
        command_reason=command.reason if command else "",
        guard_only=state.guarding,
        recovering=state.failures > 0 and not state.guarding,
        resting=state.resting_orders,
        stop_tried=state.stop_tried,
        adopted_run=state.adopted_run,
        segment_seconds=seconds * jitter,
    )


def farewell(state: BotState) -> str:
    """Return how a bot ended, in one line: the result of its workflow."""
    performance = state.carried.performance
    held = "holding a position" if state.carried.book.position else "flat"
    return f"stopped, {held}, after {performance.trades if performance else 0} trades"
