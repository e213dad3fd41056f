"""Whatever is ordered, filled and cancelled: no money appears and none gets lost, to the last decimal."""

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.clock import ManualClock
from simulator.conditions import Conditions, Slicing
from simulator.errors import VenueError
from simulator.exchange import Exchange, Market, generated_market
from simulator.trading.accounts import Account, AccountSpec
from simulator.trading.desk import Desk
from simulator.trading.orders import OrderRequest, OrderType, Side, TimeInForce

MARKETS = [generated_market(symbol, volatility=5) for symbol in ("BTCUSDT", "BNBUSDT", "DOGEUSDT")]
START = 1_700_000_000_000
DEPOSITS = {"USDT": Decimal(20_000), "BTC": Decimal("0.3"), "BNB": Decimal("0.5"), "DOGE": Decimal(9_000)}
LIMITED = (OrderType.LIMIT, OrderType.LIMIT_MAKER, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
UNSTOPPED = (OrderType.LIMIT, OrderType.LIMIT_MAKER, OrderType.MARKET)


@dataclass(frozen=True)
class Wait:
    milliseconds: int


@dataclass(frozen=True)
class Cancel:
    """The open order at this place, if there is one."""

    place: int


@dataclass(frozen=True)
class Send:
    """An order worth so much USDT, at prices that are shares of the last one."""

    market: Market
    side: Side
    type: OrderType
    worth: int
    price: Decimal
    stop: Decimal
    in_force: TimeInForce
    by_value: bool
    slicing: Slicing | None

    def request(self, now: int, name: str) -> OrderRequest:
        rules, units = self.market.rules, self.market.history.price(now)
        last = Decimal(units).scaleb(-self.market.price_decimals)
        at_value = self.by_value and self.type is OrderType.MARKET
        return OrderRequest(
            symbol=rules.symbol,
            side=self.side,
            type=self.type,
            client_order_id=name,
            quantity=None if at_value else self.worth / last // rules.step * rules.step,
            quote_quantity=Decimal(self.worth) if at_value else None,
            price=last * self.price // rules.tick * rules.tick if self.type in LIMITED else None,
            stop_price=None if self.type in UNSTOPPED else last * self.stop // rules.tick * rules.tick,
            time_in_force=TimeInForce.GTC if self.type is OrderType.LIMIT_MAKER else self.in_force,
        )


milliseconds = st.integers(1, 7_200_000)
shares = st.sampled_from([Decimal(share) for share in ("0.97", "0.995", "0.9999", "1.0001", "1.005", "1.03")])
slicings = st.builds(Slicing, st.integers(1, 4), st.sampled_from([Decimal("0.5"), Decimal(1)]), milliseconds)
sends = st.builds(
    Send,
    st.sampled_from(MARKETS),
    st.sampled_from(Side),
    st.sampled_from(OrderType),
    st.sampled_from([6, 100, 1_000, 2_500, 15_000]),
    shares,
    shares,
    st.sampled_from(TimeInForce),
    st.booleans(),
    st.none() | slicings,
)
others = st.builds(Wait, milliseconds) | st.builds(Cancel, st.integers(0, 5))
steps = st.lists(sends | sends | others, min_size=15, max_size=40)


@settings(max_examples=150, deadline=None)
@given(steps, st.booleans())
def test_balances_are_what_deposits_and_trades_make_of_them(taken: list[Wait | Cancel | Send], in_bnb: bool) -> None:
    clock = ManualClock(START)
    desk = Desk(Exchange(clock, MARKETS))
    account = desk.accounts.open(AccountSpec(name="any", balances=DEPOSITS, fees_in_bnb=in_bnb), START)
    for number, step in enumerate(taken):
        with suppress(VenueError):
            take(step, number, desk, account, clock)
        check(account)


def take(step: Wait | Cancel | Send, number: int, desk: Desk, account: Account, clock: ManualClock) -> None:
    match step:
        case Wait():
            clock.advance_to(clock.now_ms() + step.milliseconds)
            desk.settle(account)
        case Cancel():
            for order in account.orders.open()[step.place : step.place + 1]:
                desk.cancel(account, order.request.symbol, order.order_id, None)
        case Send():
            request = step.request(clock.now_ms(), f"order-{number}")
            desk.place(account, request, Conditions(slicing=step.slicing))


def check(account: Account) -> None:
    balances = account.wallet.balances
    assert all(held.free >= 0 and held.locked >= 0 for held in balances.values())
    for asset, held in balances.items():
        postings = [posting for posting in account.wallet.postings if posting.asset == asset]
        assert held.free == sum(posting.free for posting in postings)
        assert held.locked == sum(posting.locked for posting in postings)
    assert {asset: held.free + held.locked for asset, held in balances.items()} == worth_of_trades(account)
    assert {asset: held.locked for asset, held in balances.items() if held.locked} == held_for_orders(account)


def worth_of_trades(account: Account) -> dict[str, Decimal]:
    owned = dict(DEPOSITS)
    for trade in (trade for order in account.orders for trade in order.trades):
        base, sign = trade.symbol.removesuffix("USDT"), 1 if trade.side is Side.BUY else -1
        owned[base] += sign * trade.quantity
        owned["USDT"] -= sign * trade.quantity * trade.price
        owned[trade.commission_asset] -= trade.commission
    return owned


def held_for_orders(account: Account) -> dict[str, Decimal]:
    """What is open, at the price that it may cost: its limit, else its stop."""
    held: dict[str, Decimal] = {}
    for order in account.orders:
        if order.status in ("NEW", "PARTIALLY_FILLED"):
            wanted = order.request
            left = order.quantity - sum((trade.quantity for trade in order.trades), Decimal(0))
            price = wanted.price or wanted.stop_price or Decimal(0)
            asset = "USDT" if wanted.side is Side.BUY else wanted.symbol.removesuffix("USDT")
            held[asset] = held.get(asset, Decimal(0)) + (left * price if wanted.side is Side.BUY else left)
    return held
