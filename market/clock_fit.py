"""Offset and rate of a venue's clock from samples of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

# A clock whose measured rate is so near to 1 runs at 1: no exchange's clock drifts by one percent.
_RATE_TOLERANCE = 0.01
# Contradictions below this are noise of the network, milliseconds of real time.
_STEP_MS = 250.0
# Older samples do not anchor the estimate: this machine's steady clock may drift a little.
_ANCHOR_SECONDS = 700.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading: the venue showed `venue_ms` at `local` seconds, give or take half of `round_trip` seconds."""

    local: float
    venue_ms: int
    round_trip: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A straight line through samples: the venue shows `venue_ms` at `local`, and `rate` ms per ms from there."""

    local: float
    at_ms: float
    rate: float
    error_ms: float

    def venue_ms(self, local: float) -> int:
        """Return the venue's time at `local`, in milliseconds."""
        return int(self.at_ms + (local - self.local) * 1000 * self.rate)


def fit(samples: Sequence[Sample]) -> Fit:
    """Return the line through samples, oldest first; at least one.

    The rate comes from the first and the last; it is 1 when it cannot be told from 1. The offset comes from the
    sample with the shortest round trip, or from the newest one when the clock does not run at 1.
    """
    newest = samples[-1]
    rate = _rate(samples[0], newest)
    anchor = newest
    if rate == 1.0:
        recent = [sample for sample in samples if newest.local - sample.local <= _ANCHOR_SECONDS]
        anchor = min(recent, key=lambda sample: sample.round_trip)
    return Fit(anchor.local, anchor.venue_ms, rate, error_ms=anchor.round_trip * 500 * max(rate, 1.0))


def contradicts(sample: Sample, line: Fit) -> bool:
    """Return whether a sample is too far from the line for the line to go on: the clock was moved or changed pace."""
    elapsed_ms = abs(sample.local - line.local) * 1000 * line.rate
    slack = line.error_ms + sample.round_trip * 500 * max(line.rate, 1.0) + _RATE_TOLERANCE * elapsed_ms
    return abs(sample.venue_ms - line.venue_ms(sample.local)) > slack + _STEP_MS * max(line.rate, 1.0)


def _rate(first: Sample, last: Sample) -> float:
    span = last.local - first.local
    if span <= 0:
        return 1.0
    measured = (last.venue_ms - first.venue_ms) / (span * 1000)
    doubt = (first.round_trip + last.round_trip) / 2 / span * max(measured, 1.0)
    return 1.0 if abs(measured - 1.0) <= max(_RATE_TOLERANCE, doubt) else measured
