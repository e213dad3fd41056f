"""Trading rules of the simulated markets, as the real venue states them: tick, lot step, minimums."""

from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import blake2b

DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "ADAUSDT", "DOGEUSDT", "LTCUSDT")

# What the filters of every market say.
MAX_ORDERS = 200
MAX_ALGO_ORDERS = 5
MAX_NOTIONAL = Decimal(9_000_000)
PERCENT_UP = Decimal(5)
PERCENT_DOWN = Decimal("0.2")
AVERAGE_PRICE_MINUTES = 5

_QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY", "USD")


@dataclass(frozen=True, kw_only=True)
class SymbolRules:
    """What may be traded, and how coarsely. Prices and notionals in quote, quantities in base currency."""

    base: str
    quote: str
    tick: Decimal
    step: Decimal
    min_notional: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    # What a generated market looks like; a replayed one brings its own.
    typical_price: float
    daily_volume: float

    @property
    def symbol(self) -> str:
        """The venue's own name, BTCUSDT."""
        return self.base + self.quote

    @property
    def price_decimals(self) -> int:
        """Decimals of the tick."""
        return decimals(self.tick)

    @property
    def volume_decimals(self) -> int:
        """Decimals of the lot step."""
        return decimals(self.step)

    @property
    def highest_price(self) -> Decimal:
        """The most that an order may name as its price."""
        return self.tick * 100_000_000

    def with_price_decimals(self, price_decimals: int) -> "SymbolRules":
        """Return the rules with a tick at least so fine."""
        return replace(self, tick=min(self.tick, Decimal(1).scaleb(-price_decimals)))


def decimals(number: Decimal) -> int:
    """Return how many decimals a number has: 2 for 0.01 and for 0.0100."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _usdt(
    base: str, *, tick: str, step: str, most: tuple[int, int], typical: tuple[float, float], least: int = 5
) -> SymbolRules:
    """Return a USDT market; `most` of a limit and a market order, `typical` price and daily volume."""
    return SymbolRules(
        base=base,
        quote="USDT",
        tick=Decimal(tick),
        step=Decimal(step),
        min_notional=Decimal(least),
        max_quantity=Decimal(most[0]),
        max_market_quantity=Decimal(most[1]),
        typical_price=typical[0],
        daily_volume=typical[1],
    )


_KNOWN = {
    rules.symbol: rules
    for rules in (
        _usdt("BTC", tick="0.01", step="0.00001", most=(9_000, 120), typical=(95_000, 22_000)),
        _usdt("ETH", tick="0.01", step="0.0001", most=(9_000, 3_300), typical=(3_300, 400_000)),
        _usdt("SOL", tick="0.01", step="0.001", most=(90_000, 28_000), typical=(190, 4_000_000)),
        _usdt("BNB", tick="0.01", step="0.001", most=(9_000, 1_700), typical=(680, 300_000)),
        _usdt("XRP", tick="0.0001", step="0.1", most=(9_222_449, 2_000_000), typical=(2.3, 250_000_000)),
        _usdt("ADA", tick="0.0001", step="0.1", most=(900_000, 500_000), typical=(0.9, 180_000_000)),
        _usdt("DOGE", tick="0.00001", step="1", most=(9_000_000, 6_000_000), typical=(0.32, 1.5e9), least=1),
        _usdt("LTC", tick="0.01", step="0.001", most=(90_000, 5_000), typical=(105, 700_000)),
    )
}


def rules_for(symbol: str) -> SymbolRules:
    """Return the rules of a symbol: the real venue's for the well-known, made up but sane ones for any other.

    Raises:
        ValueError: `symbol` does not end in a quote currency that is known here.
    """
    known = _KNOWN.get(symbol)
    if known is not None:
        return known
    quote = next((quote for quote in _QUOTES if symbol.endswith(quote) and len(symbol) > len(quote)), None)
    if quote is None or not symbol.isascii() or not symbol.isalnum() or symbol != symbol.upper():
        raise ValueError(
            f"symbol must be capital letters and digits and end in one of {', '.join(_QUOTES)}; was {symbol!r}"
        )
    # Any price from 1 to 100, the same at every start.
    draw = int.from_bytes(blake2b(symbol.encode(), digest_size=4).digest(), "big") / 2**32
    price = round(100.0**draw, 2)
    return SymbolRules(
        base=symbol.removesuffix(quote),
        quote=quote,
        tick=Decimal("0.001"),
        step=Decimal("0.01"),
        min_notional=Decimal("0.0001") if quote in ("BTC", "ETH", "BNB") else Decimal(5),
        max_quantity=Decimal(900_000),
        max_market_quantity=Decimal(100_000),
        typical_price=price,
        daily_volume=round(50_000_000 / price),
    )
