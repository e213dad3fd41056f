"""Parameters of requests, checked and refused as the venue does."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal

from simulator import errors
from simulator.exchange import Exchange, Market
from simulator.rules import decimals

_SYMBOL = r"^[A-Z0-9-_.]{1,20}$"
_SYMBOLS = r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$'
_NUMBER = r"^[0-9]{1,20}$"
_DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_MOST_DECIMALS = 8


class Params:
    """The parameters of one request; counts which were read, so that unknown ones can be refused."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._query = values
        self._read: set[str] = set()

    def text(self, name: str) -> str | None:
        """Return a parameter; None when it was not sent."""
        self._read.add(name)
        value = self._query.get(name)
        if value == "":
            raise errors.empty_parameter(name)
        return value

    def required(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.text(name)
        if value is None:
            raise errors.mandatory_parameter(name)
        return value

    def number(self, name: str) -> int | None:
        """Return a whole number of 0 or more."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(_NUMBER, value, re.ASCII):
            raise errors.illegal_characters(name, _NUMBER)
        return int(value)

    def decimal(self, name: str, what: str) -> Decimal | None:
        """Return an exact number above 0; `what` it is, for the refusal."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(_DECIMAL, value, re.ASCII):
            raise errors.illegal_characters(name, _DECIMAL)
        number = Decimal(value)
        if decimals(number) > _MOST_DECIMALS:
            raise errors.too_precise(name)
        if not number:
            raise errors.not_positive(what)
        return number

    def matching(self, name: str, legal: str) -> str | None:
        """Return a parameter that has the form of the regular expression `legal`."""
        value = self.text(name)
        if value is not None and not re.fullmatch(legal, value, re.ASCII):
            raise errors.illegal_characters(name, legal)
        return value

    def limit(self, default: int, most: int) -> int:
        """Return `limit`, 1 or more; above `most` the venue takes `most`."""
        value = self.number("limit")
        if value is None:
            return default
        if value == 0:
            raise errors.invalid_data("limit")
        return min(value, most)

    def choice(self, name: str, values: tuple[str, ...]) -> str:
        """Return one of `values`, the first when it was not sent."""
        value = self.text(name)
        if value is not None and value not in values:
            raise errors.invalid_data(name)
        return value or values[0]

    def market(self, exchange: Exchange) -> Market:
        """Return the market of the mandatory `symbol`."""
        return _listed(exchange, self._symbol(self.required("symbol")))

    def markets(self, exchange: Exchange) -> tuple[list[Market], bool]:
        """Return the markets of `symbol` or `symbols`, all when neither was sent, and whether it is just one."""
        symbol, symbols = self.text("symbol"), self.text("symbols")
        if symbol is not None and symbols is not None:
            raise errors.invalid_combination()
        if symbol is not None:
            return [_listed(exchange, self._symbol(symbol))], True
        if symbols is None:
            return list(exchange.markets.values()), False
        if not re.fullmatch(_SYMBOLS, symbols):
            raise errors.illegal_characters("symbols", _SYMBOLS)
        names: list[str] = json.loads(symbols)
        if len(set(names)) < len(names):
            raise errors.repeated_symbol()
        return [_listed(exchange, name) for name in names], False

    def done(self) -> None:
        """Refuse parameters that nobody read."""
        unread = self._query.keys() - self._read
        if unread:
            raise errors.unread_parameters(len(self._query) - len(unread), len(self._query))

    @staticmethod
    def _symbol(value: str) -> str:
        if not re.fullmatch(_SYMBOL, value):
            raise errors.illegal_characters("symbol", _SYMBOL)
        return value


def _listed(exchange: Exchange, symbol: str) -> Market:
    market = exchange.markets.get(symbol)
    if market is None:
        raise errors.invalid_symbol()
    return market
