"""The types of strategy parameters, with the ranges that all logics share."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from domain.config_errors import as_number
from domain.config_types import Flag

__all__ = [
    "AnyGain",
    "AnyMultiplier",
    "AverageKind",
    "Cooldown",
    "Deviations",
    "Factor",
    "Flag",
    "Floor",
    "Gain",
    "Held",
    "HeldMinutes",
    "Lead",
    "Multiplier",
    "Overbought",
    "Oversold",
    "Period",
    "Ratio",
    "Share",
]

# The validator that runs first is named last: so the ranges reach the JSON schema, from which forms are made.
_NUMBER = BeforeValidator(as_number)

Period: TypeAlias = Annotated[int, Field(ge=2, le=1000), _NUMBER]
"""A number of candles."""

Lead: TypeAlias = Annotated[int, Field(ge=1, le=1000), _NUMBER]
"""By how many candles a line is shifted."""

Cooldown: TypeAlias = Annotated[int, Field(ge=0, le=1000), _NUMBER]
"""For how many candles something does not happen again."""

Held: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000), _NUMBER]
"""For how many candles something lasts."""

HeldMinutes: TypeAlias = Annotated[float, Field(gt=0, le=5_270_400, allow_inf_nan=False), _NUMBER]
"""For how many minutes something lasts: up to ten years."""

Oversold: TypeAlias = Annotated[float, Field(ge=0, le=50, allow_inf_nan=False), _NUMBER]
"""A level of the RSI."""

Overbought: TypeAlias = Annotated[float, Field(ge=50, le=100, allow_inf_nan=False), _NUMBER]
"""A level of the RSI."""

Deviations: TypeAlias = Annotated[float, Field(ge=0.1, le=10, allow_inf_nan=False), _NUMBER]
"""Standard deviations."""

Ratio: TypeAlias = Annotated[float, Field(ge=0.1, le=100, allow_inf_nan=False), _NUMBER]
"""A multiple of an average."""

Multiplier: TypeAlias = Annotated[float, Field(ge=0.1, le=100, allow_inf_nan=False), _NUMBER]
"""A multiple of the average true range, or of another distance."""

AnyMultiplier: TypeAlias = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), _NUMBER]
"""The same where none at all has a meaning too."""

Factor: TypeAlias = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), _NUMBER]
"""What something shrinks by."""

Share: TypeAlias = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), _NUMBER]
"""A part of a whole, such as of a price: 0.05 is five percent."""

Floor: TypeAlias = Annotated[float, Field(ge=0, le=10**15, allow_inf_nan=False), _NUMBER]
"""The least that something may be, in quote per unit of base."""

Gain: TypeAlias = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False), _NUMBER]
"""A profit as a part of the price paid: 0.1 is ten percent, 100 a hundredfold."""

AnyGain: TypeAlias = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), _NUMBER]
"""The same where none at all has a meaning too."""

AverageKind: TypeAlias = Literal["sma", "ema", "wma"]
"""A moving average: simple, exponential, weighted."""
