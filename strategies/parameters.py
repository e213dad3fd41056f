"""The types of strategy parameters, with the ranges that all logics share."""

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from domain.config_errors import as_number
from domain.config_types import Flag

__all__ = ["Deviations", "Flag", "Multiplier", "Oversold", "Period", "Ratio"]

# The validator that runs first is named last: so the ranges reach the JSON schema, from which forms are made.
_NUMBER = BeforeValidator(as_number)

Period: TypeAlias = Annotated[int, Field(ge=2, le=1000), _NUMBER]
"""A number of candles."""

Oversold: TypeAlias = Annotated[float, Field(ge=0, le=50, allow_inf_nan=False), _NUMBER]
"""A level of the RSI."""

Deviations: TypeAlias = Annotated[float, Field(ge=0.1, le=10, allow_inf_nan=False), _NUMBER]
"""Standard deviations."""

Ratio: TypeAlias = Annotated[float, Field(ge=0.1, le=100, allow_inf_nan=False), _NUMBER]
"""A multiple of an average."""

Multiplier: TypeAlias = Annotated[float, Field(ge=0.1, le=100, allow_inf_nan=False), _NUMBER]
"""A multiple of the average true range."""
