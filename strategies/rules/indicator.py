"""What an indicator is to a rule, whichever library it comes from."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from domain.candles import Candles
from strategies.arrays import Floats

Value: TypeAlias = int | float | str | bool
Compute: TypeAlias = Callable[[Candles, Sequence[Floats]], tuple[Floats, ...]]


class Prepared(NamedTuple):
    """An indicator with its parameters.

    Attributes:
        compute: from candles, and the series that stand for its inputs, to one array per output, NaN for no value.
        outputs: their names.
        warmup: candles that make the newest value independent of where they begin.
        anchor: the interval with which it begins anew, "" for none; then one such interval is needed besides.
        is_slow: whether it takes milliseconds, and seconds to be prepared.
    """

    compute: Compute
    outputs: tuple[str, ...]
    warmup: int
    anchor: str = ""
    is_slow: bool = False


class Indicator(Protocol):
    """A function of a library; it takes columns of candles, and series that may be computed ones."""

    @property
    def name(self) -> str:
        """The name in lower case, as a rule writes it."""
        ...

    @property
    def series(self) -> tuple[str, ...]:
        """The inputs that an expression may stand for: the column taken without one, "" where one must be given."""
        ...

    @property
    def parameters(self) -> Mapping[str, Value | None]:
        """The parameters in order, with their defaults; None where only the library knows it."""
        ...

    def prepare(self, parameters: Mapping[str, Value]) -> Prepared:
        """Return it with those parameters, the others at their defaults.

        Raises:
            ValueError: they are out of range; says which and what was expected.
        """
        ...


def output_index(wanted: str, prepared: Prepared, name: str) -> int:
    """Return which output is meant; none is named where there is only one, or one has the indicator's own name.

    Raises:
        ValueError: there is no such output, or one must be named.
    """
    outputs = prepared.outputs
    short = [_shortened(output, name) for output in outputs]
    if wanted in outputs:
        return outputs.index(wanted)
    if short.count(wanted) == 1:
        return short.index(wanted)
    names = ", ".join(f".{s if short.count(s) == 1 else o}" for s, o in zip(short, outputs, strict=True))
    if wanted:
        raise ValueError(f"{name} has no output .{wanted}; it has {names}")
    if len(outputs) == 1:
        return 0
    if name in outputs:
        return outputs.index(name)
    raise ValueError(f"{name} has several outputs; name one: {names}")


def _shortened(output: str, name: str) -> str:
    """Return the short form of an output's name: `signal` for macdsignal, `lower` for lowerband, `k` for slowk."""
    if output == name:
        return output
    short = output.removeprefix(name)
    for prefix in ("macd", "slow", "fast", "swing"):
        short = short.removeprefix(prefix)
    for suffix in ("band", "power", "vi"):
        short = short.removesuffix(suffix)
    return short or output
