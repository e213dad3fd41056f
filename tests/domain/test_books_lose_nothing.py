"""Whatever is bought and sold: cash, cost, profit and commission add up, to the last digit.

The sums are kept beside the books as fractions, which never round.
"""

from decimal import ROUND_UP, Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.instruments import Instrument
from domain.orders import Fill
from domain.positions import Book, Trade, book_entry, book_exit, close_position, sellable_quantity
from tests.domain.builders import instrument, intent

MARKETS = [
    instrument(),
    instrument(symbol="SHIB/USDT", lot="1", tick="0.00000001"),
    instrument(symbol="BTC/IDR", lot="0.0000001", tick="1", notional="10000"),
    instrument(symbol="X/Y", lot="0.00000001", tick="0.000000000001", notional="0"),
]


class Books(RuleBasedStateMachine):
    """Random orders, each filled in one to three parts, with fees in base or quote."""

    @initialize(market=st.sampled_from(MARKETS), cash=st.decimals(0, 10**12, places=18))
    def begin(self, market: Instrument, cash: Decimal) -> None:
        self.market, self.book = market, Book(cash=cash)
        self.funds, self.paid, self.earned = Fraction(cash), Fraction(0), Fraction(0)
        self.bought = self.sold = self.kept_as_fee = Fraction(0)
        self.trades: list[Trade] = []
        self.number = 0

    def parts(self, quantity: Decimal, data: st.DataObject) -> list[Decimal]:
        cuts = sorted(data.draw(st.lists(st.integers(0, int(quantity / self.market.lot_step)), max_size=2)))
        edges = [Decimal(0), *(cut * self.market.lot_step for cut in cuts), quantity]
        return [b - a for a, b in pairwise(edges) if b > a]

    def filled(self, quantity: Decimal, data: st.DataObject, *, side: str) -> list[Fill]:
        fills = []
        for number, part in enumerate(self.parts(quantity, data)):
            price = data.draw(st.integers(1, 10**9), label="ticks") * self.market.tick_size
            in_base = side == "buy" and data.draw(st.booleans(), label="fee in base")
            fee = ((part if in_base else part * price) * Decimal("0.001")).quantize(Decimal("1e-8"), ROUND_UP)
            currency = self.market.base if in_base else self.market.quote
            fills.append(
                Fill(trade_id=str(number), price=price, quantity=part, fee=fee, fee_currency=currency, at=self.number)
            )
        return fills

    @rule(lots=st.integers(1, 10**12), data=st.data())
    def buy(self, lots: int, data: st.DataObject) -> None:
        self.number += 1
        for fill in self.filled(lots * self.market.lot_step, data, side="buy"):
            wanted = intent(number=self.number)
            self.book = book_entry(self.book, wanted, fill, self.market, signal_close=fill.price)
            self.bought += Fraction(fill.quantity)
            if fill.fee_currency == self.market.base:
                self.kept_as_fee += Fraction(fill.fee)

    @precondition(lambda self: self.book.position is not None)
    @rule(share=st.fractions(0, 1), data=st.data())
    def sell(self, share: Fraction, data: st.DataObject) -> None:
        self.number += 1
        open_lots = int(self.book.holding / self.market.lot_step)
        quantity = int(open_lots * share) * self.market.lot_step
        for fill in self.filled(quantity, data, side="sell"):
            self.book = book_exit(self.book, intent(side="sell", number=self.number), fill, self.market)
            self.sold += Fraction(fill.quantity)

    @precondition(lambda self: self.book.position is not None)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        self.number += 1
        quantity = sellable_quantity(self.book, self.market, Decimal(10**9))
        for fill in self.filled(quantity, data, side="sell"):
            self.book = book_exit(self.book, intent(side="sell", number=self.number), fill, self.market)
            self.sold += Fraction(fill.quantity)
        self.book, trade = close_position(self.book, exit_time=self.number, exit_reason="test")
        assert Fraction(trade.gross_pnl) - Fraction(trade.commission) == Fraction(trade.net_pnl)
        assert Fraction(trade.exit_value) - Fraction(trade.entry_value) == Fraction(trade.gross_pnl)
        self.trades.append(trade)

    @invariant()
    def money_adds_up(self) -> None:
        """What was put in is cash, cost of what is held, and what was lost or earned on the way."""
        position = self.book.position
        cost = Fraction(position.cost if position else self.book.dust.cost)
        running = Fraction(position.realized_pnl) - Fraction(position.commission) if position else Fraction(0)
        closed = sum((Fraction(trade.net_pnl) for trade in self.trades), Fraction(0))
        assert Fraction(self.book.cash) + cost == self.funds + closed + running

    @invariant()
    def coins_add_up(self) -> None:
        assert Fraction(self.book.holding) == self.bought - self.sold - self.kept_as_fee

    @invariant()
    def an_empty_holding_has_no_cost(self) -> None:
        position = self.book.position
        if position is not None and position.qty_open == 0:
            assert position.cost == 0

    @invariant()
    def nothing_has_more_decimals_than_the_database(self) -> None:
        position = self.book.position
        amounts = [self.book.cash, self.book.dust.cost, *((position.cost, position.commission) if position else ())]
        assert all(Fraction(amount) * 10**18 == int(Fraction(amount) * 10**18) for amount in amounts)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
