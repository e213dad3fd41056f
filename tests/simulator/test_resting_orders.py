"""Orders that wait: when they fill, at which price, and what the account has by then. All worked out by hand."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.clock import ManualClock
from simulator.exchange import Exchange, replayed_market
from simulator.server import start_simulator
from simulator.trading.accounts import AccountSpec, ApiKey
from tests.simulator.conftest import SignedApi

KEY = ApiKey(key="waiting", secret="waiting-too")
SPEC = AccountSpec(
    name="waiting",
    keys=(KEY,),
    balances={"LTC": Decimal(100), "USDT": Decimal(10_000)},
    maker_fee=Decimal("0.002"),
    taker_fee=Decimal("0.01"),
)
# timestamp, open, high, low, close, volume. A minute goes open, low, high, close: 20 seconds for each way.
# The price: 100 at 0:00, 100 at 1:00, 90 at 1:20, 120 at 1:40, 110 at 2:00, 50 at 2:20, 110 at 2:40.
CANDLES = ("0,100,100,100,100,60", "60000,100,120,90,110,60", "120000,110,110,50,110,60", "180000,110,110,110,110,60")
# The book of a second is made of its price and a spread of a tick: 0.01 from the best bid to the best ask.
TICK = Decimal("0.01")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(30_000)


@pytest.fixture
async def private(clock: ManualClock, temporary_csv: Callable[..., Path]) -> AsyncIterator[SignedApi]:
    exchange = Exchange(clock, [replayed_market("LTCUSDT", temporary_csv(*CANDLES))])
    async with (
        await start_simulator(exchange, accounts=[SPEC]) as simulator,
        aiohttp.ClientSession(simulator.url) as session,
    ):
        yield SignedApi(session, clock, KEY)


async def show(private: SignedApi, order: Any) -> Any:
    status, found = await private("GET", "/api/v3/order", symbol="LTCUSDT", orderId=order["orderId"])
    assert status == 200
    return found


async def trades(private: SignedApi, order: Any) -> Any:
    return (await private("GET", "/api/v3/myTrades", symbol="LTCUSDT", orderId=order["orderId"]))[1]


async def balances(private: SignedApi) -> dict[str, Any]:
    _, account = await private("GET", "/api/v3/account")
    return {held["asset"]: (Decimal(held["free"]), Decimal(held["locked"])) for held in account["balances"]}


async def limit(private: SignedApi, side: str, price: str, **params: str) -> Any:
    order = {"side": side, "type": "LIMIT", "timeInForce": "GTC", "quantity": "2", "price": price}
    return await private.accepted("LTCUSDT", **order | params)


async def test_a_buy_fills_at_its_price_once_the_price_trades_through_it(private: Any, clock: ManualClock) -> None:
    order = await limit(private, "BUY", "95")
    assert (order["status"], order["fills"]) == ("NEW", [])
    assert (await balances(private))["USDT"] == (9_810, 190)
    # 94.99 is reached after 20,000 ms * 5.01 / 10 = 10,020 ms of the second minute.
    clock.advance_to(70_019)
    assert (await show(private, order))["status"] == "NEW"
    clock.advance_to(70_020)
    found = await show(private, order)
    assert (found["status"], found["executedQty"], found["cummulativeQuoteQty"]) == (
        "FILLED",
        "2.00000000",
        "190.00000000",
    )
    (trade,) = await trades(private, order)
    assert (trade["price"], trade["qty"], trade["isMaker"], trade["time"]) == (
        "95.00000000",
        "2.00000000",
        True,
        70_020,
    )
    assert (trade["commission"], trade["commissionAsset"]) == ("0.00400000", "LTC")
    assert await balances(private) == {"LTC": (Decimal("101.996"), 0), "USDT": (9_810, 0)}


async def test_a_fill_has_the_time_of_the_crossing_however_late_somebody_looks(
    private: Any, clock: ManualClock
) -> None:
    order = await limit(private, "BUY", "95")
    clock.advance_to(10**9)
    assert [trade["time"] for trade in await trades(private, order)] == [70_020]
    assert (await show(private, order))["updateTime"] == 70_020


async def test_a_touch_fills_nobody_who_waits_in_the_book(private: Any, clock: ManualClock) -> None:
    touched, passed = await limit(private, "SELL", "120"), await limit(private, "SELL", "119.99")
    clock.advance_to(110_000)
    assert (await show(private, touched))["status"] == "NEW"
    # 120 itself is at the end of the way up from 90 at 80 s.
    assert [trade["time"] for trade in await trades(private, passed)] == [100_000]


async def test_a_sell_pays_its_fee_out_of_what_it_earns(private: Any, clock: ManualClock) -> None:
    await limit(private, "SELL", "105")
    assert (await balances(private))["LTC"] == (98, 2)
    clock.advance_to(110_000)
    # 2 * 105 = 210, less 0.2 percent: 0.42.
    assert await balances(private) == {"LTC": (98, 0), "USDT": (Decimal("10209.58"), 0)}


async def test_a_cancelled_order_gives_back_what_it_held(private: Any) -> None:
    buy, sell = await limit(private, "BUY", "95"), await limit(private, "SELL", "105")
    assert await balances(private) == {"LTC": (98, 2), "USDT": (9_810, 190)}
    status, answer = await private("DELETE", "/api/v3/order", symbol="LTCUSDT", orderId=buy["orderId"])
    assert (status, answer["status"], answer["origClientOrderId"]) == (200, "CANCELED", buy["clientOrderId"])
    await private("DELETE", "/api/v3/order", symbol="LTCUSDT", orderId=sell["orderId"])
    assert await balances(private) == {"LTC": (100, 0), "USDT": (10_000, 0)}


async def test_a_stop_sells_at_the_market_the_moment_its_price_is_reached(private: Any, clock: ManualClock) -> None:
    order = await private.accepted("LTCUSDT", side="SELL", type="STOP_LOSS", quantity="2", stopPrice="60")
    waiting = await show(private, order)
    assert (waiting["isWorking"], waiting["workingTime"], waiting["stopPrice"]) == (False, -1, "60.00000000")
    assert (await balances(private))["LTC"] == (98, 2)
    clock.advance_to(180_000)
    found = await show(private, order)
    # From 110 at 120 s to 50 at 140 s: 60 after 5/6 of the way, 16,666.7 ms.
    assert (found["status"], found["workingTime"], found["updateTime"]) == ("FILLED", 136_667, 136_667)
    (trade,) = await trades(private, order)
    assert Decimal("59.98") <= Decimal(trade["price"]) <= 60
    assert trade["isMaker"] is False
    assert Decimal(trade["commission"]) == Decimal(trade["quoteQty"]) / 100


async def test_a_stop_is_triggered_by_a_touch(private: Any, clock: ManualClock) -> None:
    order = await private.accepted("LTCUSDT", side="SELL", type="STOP_LOSS", quantity="2", stopPrice="50")
    clock.advance_to(180_000)
    assert (await show(private, order))["updateTime"] == 140_000


async def test_a_stop_limit_rests_at_its_limit_when_the_market_is_below(private: Any, clock: ManualClock) -> None:
    params = {"stopPrice": "60", "price": "80", "timeInForce": "GTC", "quantity": "2"}
    order = await private.accepted("LTCUSDT", side="SELL", type="STOP_LOSS_LIMIT", **params)
    clock.advance_to(140_000)
    found = await show(private, order)
    assert (found["status"], found["isWorking"], found["workingTime"]) == ("NEW", True, 136_667)
    clock.advance_to(180_000)
    # Up from 50 at 140 s to 110 at 160 s: 80.01 after 20,000 ms * 30.01 / 60 = 10,003.3 ms.
    (trade,) = await trades(private, order)
    assert (trade["price"], trade["time"], trade["isMaker"]) == ("80.00000000", 150_004, True)


async def test_a_take_profit_sells_on_the_way_up(private: Any, clock: ManualClock) -> None:
    order = await private.accepted("LTCUSDT", side="SELL", type="TAKE_PROFIT", quantity="2", stopPrice="115")
    clock.advance_to(120_000)
    # From 90 at 80 s to 120 at 100 s: 115 after 5/6 of the way.
    assert (await show(private, order))["updateTime"] == 96_667


async def test_a_stop_to_buy_expires_when_the_account_cannot_pay_the_market(private: Any, clock: ManualClock) -> None:
    # 99 * 101 = 9,999 are held; at the market 99 cost more than the 10,000 that there are.
    order = await private.accepted("LTCUSDT", side="BUY", type="STOP_LOSS", quantity="99", stopPrice="101")
    assert (await balances(private))["USDT"] == (1, 9_999)
    clock.advance_to(120_000)
    assert (await show(private, order))["status"] == "EXPIRED"
    assert (await balances(private))["USDT"] == (10_000, 0)


async def test_orders_happen_in_the_order_of_time(private: Any, clock: ManualClock) -> None:
    later = await private.accepted("LTCUSDT", side="SELL", type="STOP_LOSS", quantity="2", stopPrice="60")
    sooner = await limit(private, "BUY", "95")
    clock.advance_to(180_000)
    _, found = await private("GET", "/api/v3/myTrades", symbol="LTCUSDT")
    assert [trade["orderId"] for trade in found] == [sooner["orderId"], later["orderId"]]
    assert [trade["time"] for trade in found] == [70_020, 136_667]


async def test_what_happens_does_not_depend_on_how_often_one_looks(private: Any, clock: ManualClock) -> None:
    order = await private.accepted("LTCUSDT", side="SELL", type="STOP_LOSS", quantity="2", stopPrice="60")
    for moment in range(30_000, 180_000, 1_111):
        clock.advance_to(moment)
        await balances(private)
    assert (await show(private, order))["updateTime"] == 136_667


@pytest.mark.parametrize(
    ("in_force", "quantity", "status", "filled"),
    [("IOC", "2", "FILLED", 2), ("FOK", "2", "FILLED", 2), ("FOK", "90", "EXPIRED", 0)],
)
async def test_an_order_that_may_not_stay_takes_what_it_gets(
    in_force: str, quantity: str, status: str, filled: int, private: Any
) -> None:
    # The best ask is half a spread of one tick above 100, rounded up; 90 of it are not there.
    order = await limit(private, "BUY", "100.01", timeInForce=in_force, quantity=quantity)
    assert order["status"] == status
    assert Decimal(order["executedQty"]) == filled
    _, locked = (await balances(private))["USDT"]
    assert locked == 0


async def test_the_rest_of_an_order_that_may_not_stay_expires(private: Any) -> None:
    order = await limit(private, "BUY", "100.01", timeInForce="IOC", quantity="90")
    filled = Decimal(order["executedQty"])
    assert order["status"] == "EXPIRED"
    assert 0 < filled < 90
    assert (await balances(private))["LTC"][0] == 100 + filled - filled / 100


async def test_a_limit_order_takes_at_better_prices_and_rests_with_the_rest(private: Any) -> None:
    order = await limit(private, "BUY", "100.01", quantity="90")
    filled, spent = Decimal(order["executedQty"]), Decimal(order["cummulativeQuoteQty"])
    assert order["status"] == "PARTIALLY_FILLED"
    assert {fill["price"] for fill in order["fills"]} <= {"100.00000000", "100.01000000"}
    held = (90 - filled) * Decimal("100.01")
    assert (await balances(private))["USDT"] == (10_000 - spent - held, held)


async def test_a_market_order_walks_down_the_book(private: Any) -> None:
    _, book = await private.send("GET", "/api/v3/depth", "symbol=LTCUSDT&limit=5")
    order = await private.accepted("LTCUSDT", side="SELL", type="MARKET", quantity="100")
    sold = [[fill["price"], fill["qty"]] for fill in order["fills"]]
    assert sold[:5] == book["bids"]
    assert (order["status"], sum(Decimal(quantity) for _, quantity in sold)) == ("FILLED", 100)
