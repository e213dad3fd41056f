"""The books of a backtest and the live books hold the same after the same fills, to the last digit."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.books import ClosedTrade, Ledger
from backtest.units import Purchase, Units, as_decimal
from domain.model import exact
from domain.positions import Book, book_entry, book_exit, close_position
from tests.domain.builders import config, costs, dec, fill, instrument, intent

FILLS = st.lists(st.tuples(st.integers(1, 3_000_000), st.integers(1, 9_000_000)), min_size=1, max_size=4)
SHARES = st.lists(st.sampled_from([Decimal("0.33"), Decimal("0.5"), Decimal("0.9"), Decimal(1)]), max_size=3)
LOT, TICK = Decimal("0.00001"), Decimal("0.01")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(FILLS, SHARES, st.integers(1, 9_000_000)), min_size=1, max_size=3), st.booleans())
@exact()
def test_the_books_agree_through_entries_partial_sales_and_dust(
    positions: list[tuple[Any, Any, int]], in_base: bool
) -> None:
    terms = costs(fee="0.00075", currency="received" if in_base else "quote")
    market = instrument(notional="0")
    units = Units(config(broker__paper_trading_config=terms), market)
    live, ours, number = Book(cash=dec(10**9)), Ledger(dec(10**9), units), 0
    for entries, shares, sold_at in positions:
        for lots, paid_at in entries:
            number += 1
            quantity, price = lots * LOT, paid_at * TICK
            fee = Decimal(lots) * Decimal("1e-8") if in_base else Decimal(lots * paid_at) * Decimal("1e-10")
            booked = fill(str(quantity), str(price), fee=str(fee), currency="BTC" if in_base else "USDT")
            live = book_entry(live, intent(number=number, at=number), booked, market, signal_close=dec(1))
            bought = Purchase(int(quantity.scaleb(8)), paid_at, int(fee.scaleb(8 if in_base else 18)))
            lot = ours.buy(bought, candle=number, at=1_000)
            assert (ours.cash, ours.holding, ours.held_cost) == (live.cash, live.holding, live.held_cost)
            assert live.position is not None
            assert (lot.avg_price, lot.entries) == (live.position.avg_price, live.position.entries)
        for share in (*shares, Decimal(1)):
            quantity = market.floor_quantity(live.holding * share)
            if not quantity:
                continue
            number += 1
            fee = as_decimal(units.fee_of_sale(sold_at, int(quantity.scaleb(8))), 18)
            sold = fill(str(quantity), str(sold_at * TICK), fee=str(fee))
            live = book_exit(live, intent(side="sell", number=number), sold, market)
            ours.sell(lot, int(quantity.scaleb(8)), sold_at)
            assert (ours.cash, ours.holding, ours.held_cost) == (live.cash, live.holding, live.held_cost)
        live, expected = close_position(live, exit_time=5_000, exit_reason="test")
        ours.close()
        trade = ClosedTrade(lot, candle=9, at=5_000, reason="test")
        for name in ("entry_time", "exit_time", "entry_price", "entry_value", "exit_price", "exit_value", "size"):
            assert getattr(trade, name) == getattr(expected, name), name
        for name in ("commission", "gross_pnl", "net_pnl", "exit_reason"):
            assert getattr(trade, name) == getattr(expected, name), name
        assert (ours.cash, ours.holding, ours.held_cost) == (live.cash, live.holding, live.held_cost)


def test_a_third_of_a_position_releases_a_third_of_its_cost_and_the_last_sale_all_that_is_left() -> None:
    units = Units(config(broker__paper_trading_config=costs(fee="0", slippage="0")), instrument(lot="1"))
    ledger = Ledger(dec(100), units)
    lot = ledger.buy(Purchase(3 * 10**8, 1_000, 0), candle=1, at=0)
    ledger.sell(lot, 10**8, 1_200)
    assert (ledger.cash, ledger.held_cost, lot.net_pnl) == (dec(82), dec(20), dec(2))
    ledger.sell(lot, 2 * 10**8, 900)
    ledger.close()
    trade = ClosedTrade(lot, candle=3, at=0, reason="test")
    # 3 bought at 10; 1 sold at 12 and 2 at 9: 30 for 30, at 10 on average.
    assert (trade.size, trade.entry_price, trade.exit_price, trade.net_pnl) == (dec(3), dec(10), dec(10), dec(0))
