"""Commissions: a share of what a trade yields, or its worth in BNB at a discount."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from simulator.exchange import Market
from simulator.trading.money import amount, floor_to_eight
from simulator.trading.orders import Side

DISCOUNT_ASSET = "BNB"
DISCOUNT = Decimal("0.25")


@dataclass(frozen=True)
class FeeSchedule:
    """Rates of an account, shares of what a trade yields in [0, 1)."""

    maker: Decimal
    taker: Decimal
    in_bnb: bool


@dataclass(frozen=True)
class Commission:
    """What a trade costs."""

    asset: str
    quantity: Decimal


@dataclass(frozen=True)
class Fees:
    """Works out commissions at the prices of these markets."""

    markets: Mapping[str, Market]

    def commission(
        self,
        schedule: FeeSchedule,
        market: Market,
        side: Side,
        *,
        price: Decimal,
        quantity: Decimal,
        maker: bool,
        moment: int,
        bnb: Decimal,
    ) -> Commission:
        """Return the commission of one trade, cut after the eighth decimal.

        Args:
            bnb: what is free to pay with; when it is not enough, the full fee comes off what the trade yields.
        """
        rate = schedule.maker if maker else schedule.taker
        rules = market.rules
        if schedule.in_bnb:
            bnb_price = self._bnb_price(rules.quote, moment)
            owed = floor_to_eight(price * quantity * rate * (1 - DISCOUNT) / bnb_price) if bnb_price else None
            if owed is not None and owed <= bnb:
                return Commission(DISCOUNT_ASSET, owed)
        if side is Side.BUY:
            return Commission(rules.base, floor_to_eight(quantity * rate))
        return Commission(rules.quote, floor_to_eight(price * quantity * rate))

    def _bnb_price(self, quote: str, moment: int) -> Decimal | None:
        """Return what one BNB costs in a quote currency; None where no market tells."""
        if quote == DISCOUNT_ASSET:
            return Decimal(1)
        market = self.markets.get(DISCOUNT_ASSET + quote)
        return None if market is None else amount(market.history.price(moment), market.price_decimals)
