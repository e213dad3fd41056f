"""The types of single configuration values: what may be written there, and the sentence that says so if not."""

import re
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, Strict

from domain.config_errors import as_number, refuse, shown
from domain.intervals import interval_ms

SLUG = re.compile(r"[a-z0-9_-]{1,64}")
_VENUE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SYMBOL = re.compile(r"[^\s/:]+(/[^\s/:]+)?")
_HOST = re.compile(r"https?://[^\s/]+\S*")
_LARGEST_AMOUNT = 10**15
_DECIMAL_PLACES = 18  # what numeric(38,18) keeps


def _matching(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise refuse(f"must be {expected}; was {shown(value)}")
        return value

    return AfterValidator(check)


def _known_interval(value: str) -> str:
    try:
        length = interval_ms(value)
    except ValueError as error:
        raise refuse(str(error).removeprefix("interval ")) from error
    if length > interval_ms("1M"):
        raise refuse(f"must be between 1s and 1M; was {shown(value)}")
    return value


def later(default: object) -> AfterValidator:
    """Accept `default` only, until the key has an effect: what is silently ignored costs money."""

    def check(value: object) -> object:
        if value != default:
            given = value.model_dump() if isinstance(value, BaseModel) else value
            expected = default.model_dump() if isinstance(default, BaseModel) else default
            advice = "leave it out" if default is None else f"must be {shown(expected)} for now"
            raise refuse(f"not available yet; {advice}; was {shown(given)}")
        return value

    return AfterValidator(check)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Flag: TypeAlias = Annotated[bool, Strict()]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]

# The validator that runs first is named last: so the ranges reach the JSON schema, from which forms are made.
NUMBER = BeforeValidator(as_number)

Amount: TypeAlias = Annotated[Decimal, Field(gt=0, le=_LARGEST_AMOUNT, decimal_places=_DECIMAL_PLACES), NUMBER]
Fraction: TypeAlias = Annotated[Decimal, Field(gt=0, le=1, decimal_places=_DECIMAL_PLACES), NUMBER]
FeeRate: TypeAlias = Annotated[Decimal, Field(ge=0, lt=1, decimal_places=_DECIMAL_PLACES), NUMBER]
LossPercent: TypeAlias = Annotated[Decimal, Field(gt=0, lt=100, decimal_places=_DECIMAL_PLACES), NUMBER]
GainPercent: TypeAlias = Annotated[Decimal, Field(gt=0, le=100_000, decimal_places=_DECIMAL_PLACES), NUMBER]
SmallPercent: TypeAlias = Annotated[Decimal, Field(ge=0, lt=100, decimal_places=_DECIMAL_PLACES), NUMBER]
Count: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000), NUMBER]
Lookback: TypeAlias = Annotated[int, Field(ge=2, le=10_000), NUMBER]
Minutes: TypeAlias = Annotated[float, Field(ge=0, le=527_040, allow_inf_nan=False), NUMBER]
Seconds: TypeAlias = Annotated[float, Field(ge=0.05, le=86_400, allow_inf_nan=False), NUMBER]

Slug: TypeAlias = Annotated[str, _matching(SLUG, "1 to 64 of the characters a-z, 0-9, _ and -")]
Venue: TypeAlias = Annotated[str, _matching(_VENUE, "the lower-case id of an exchange, such as binance")]
Symbol: TypeAlias = Annotated[str, _matching(_SYMBOL, "a spot symbol such as BTC/USDT or BTCUSDT")]
Host: TypeAlias = Annotated[str, _matching(_HOST, "an address such as http://127.0.0.1:8080")]
Interval: TypeAlias = Annotated[str, AfterValidator(_known_interval)]
Addresses: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
OrderType: TypeAlias = Literal["market", "limit"]
