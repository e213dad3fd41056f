"""Random numbers that depend on a key and an index only: any of them at any time, in any order, for ever the same.

A counter-based generator (the mixing steps of splitmix64): numpy's own streams would have to be drawn in order,
and may change between its releases.
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from simulator.candles import Floats, Ints

Key = np.uint64

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def key(*parts: str | int | float) -> Key:
    """Return the key of a stream of numbers; other parts give an independent stream."""
    digest = blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return Key(int.from_bytes(digest, "big"))


def uniform(stream: Key, index: Ints) -> Floats:
    """Return one number in (0, 1) for each index."""
    # 53 bits fill a float; the half keeps away from 0, whose logarithm nobody wants.
    return ((_mix(stream, index) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normal(stream: Key, index: Ints) -> Floats:
    """Return one standard normal number for each index (Box and Muller)."""
    radius = np.sqrt(-2.0 * np.log(uniform(stream, 2 * index)))
    return radius * np.cos(2.0 * np.pi * uniform(stream, 2 * index + 1))


def smooth(stream: Key, index: Ints, period: int) -> Floats:
    """Return numbers with a standard deviation near 1 that drift from one to the next over `period` indices."""
    place, rest = np.divmod(index, period)
    share = rest / period
    share = share * share * (3.0 - 2.0 * share)
    return normal(stream, place) * (1.0 - share) + normal(stream, place + 1) * share


def _mix(stream: Key, index: Ints) -> NDArray[np.uint64]:
    bits = np.asarray(index, np.int64).astype(np.uint64) * _GOLDEN + stream
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
    mixed: NDArray[np.uint64] = bits ^ (bits >> np.uint64(31))
    return mixed
