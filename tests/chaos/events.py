"""What happens in a chaos run, and when: drawn by the seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

Seconds = tuple[float, float]


class Event(StrEnum):
    """What is done to the system, beside the kills of workers that go on all the time."""

    FREEZE = "freeze"
    FREEZE_SENDING = "freeze between signing and sending"
    FREEZE_SENDING_LONG = "freeze between signing and sending, until another worker has taken over"
    KILL_BEFORE_SENDING = "kill between signing and sending"
    KILL_AFTER_SENDING = "kill before the answer is heeded"
    TEMPORAL = "kill Temporal"
    DATABASE = "stop PostgreSQL, restart a worker meanwhile"
    RESET = "reset a bot's history"
    RESET_SENDING = "reset a bot's history while its order is on its way"
    COPY = "copy the embedded files"
    RESTORE_TEMPORAL = "restore Temporal's file from the copy"
    RESTORE_ALL = "restore the files of Temporal and PostgreSQL from the copy"


@dataclass(frozen=True)
class Pace:
    """How fast things happen: bounds in seconds, from which the seed draws.

    Attributes:
        kill: between two kills of a worker.
        pause: between two other events.
        freeze: how long a process stands still.
        outage: how long PostgreSQL is away.
        wish: between two wishes of a person.
    """

    kill: Seconds = (20, 40)
    pause: Seconds = (5, 12)
    freeze: Seconds = (5, 20)
    outage: Seconds = (8, 15)
    wish: Seconds = (0.05, 0.3)


LONG = Pace()
SHORT = Pace(kill=(20, 30), pause=(3, 4), freeze=(5, 7), outage=(3, 4))

# A frozen process is taken to be dead by then: an attempt to send has 30 s.
LONG_FREEZE = (33.0, 40.0)

_ANY_TIME = tuple(event for event in Event if event not in (Event.COPY, Event.RESTORE_TEMPORAL, Event.RESTORE_ALL))


def deck(chance: random.Random) -> list[Event]:
    """Return every event once, in an order in which something happens between a copy and each restore of it."""
    events = list(_ANY_TIME)
    chance.shuffle(events)
    restores = [Event.RESTORE_TEMPORAL, Event.RESTORE_ALL]
    chance.shuffle(restores)
    third = len(events) // 3
    return [
        *events[:1],
        Event.COPY,
        *events[1:third],
        restores[0],
        *events[third : 2 * third],
        restores[1],
        *events[2 * third :],
    ]


def schedule(chance: random.Random) -> Iterator[Event]:
    """Yield events for ever, a deck at first. What comes after goes back to no copy, which costs intents."""
    yield from deck(chance)
    while True:
        yield from chance.sample(_ANY_TIME, len(_ANY_TIME))
