"""The live broker against the simulated exchange: what it reports is what the exchange's ledger says."""

import decimal
import logging
import traceback
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from brokers.habits import HABITS
from domain.accounts import KeyState
from domain.errors import (
    AccountRefused,
    InsufficientBalance,
    NotSent,
    OrderRejected,
    OrderUncertain,
    SteadyhandError,
    VenueUnavailable,
)
from domain.orders import OrderReport
from simulator.faults.altered import ClockSkew, InvisibleOrder, PartialFills
from simulator.faults.fault import PLACING, Fault
from simulator.faults.late_or_lost import Accept504, Delay, DropAnswer, Garbage
from simulator.faults.outages import Hang, HttpError, Maintenance, RateLimit, Reset
from simulator.trading.accounts import AccountSpec
from tests.contract.benches import KEY, MAIN, CcxtBench, ccxt_bench, open_window
from tests.support.vault import credentials

EVERYTHING = "*"


@pytest.fixture
async def bench() -> AsyncIterator[CcxtBench]:
    async with ccxt_bench() as opened:
        await opened.broker.find(opened.request())  # the client is open, its clock read
        yield opened


async def ledger(bench: CcxtBench) -> Any:
    async with aiohttp.ClientSession(bench.simulator.url) as session, session.get("/ledger?account=main") as answer:
        (account,) = (await answer.json())["accounts"]
        return account


def count(bench: CcxtBench, endpoint: str = EVERYTHING) -> Any:
    """Count the requests from now on; `seen` of what is returned."""
    bench.simulator.faults.arm([Delay(endpoint=endpoint)])
    return bench.simulator.faults.armed[0]


def chain(error: BaseException | None) -> list[BaseException]:
    """An error with all those that it carries along, shown or not."""
    return [] if error is None else [error, *chain(error.__cause__), *chain(error.__context__)]


async def submit(bench: CcxtBench, **order: Any) -> OrderReport:
    return await bench.broker.submit(bench.request(**order), open_window())


async def test_fills_are_those_of_the_ledger_to_the_last_digit(bench: CcxtBench) -> None:
    bench.simulator.faults.arm([PartialFills(parts=3)])
    report = await submit(bench, side="buy", quantity="0.00021")
    told = await ledger(bench)
    assert [(f.trade_id, f.price, f.quantity, f.fee, f.fee_currency, f.at) for f in report.fills] == [
        (str(t["tradeId"]), Decimal(t["price"]), Decimal(t["qty"]), Decimal(t["commission"]), "BTC", t["time"])
        for t in told["trades"]
    ]
    assert len(report.fills) == 3
    assert told["orders"][0]["qty"] == "0.00021000"
    assert report.venue_order_id == str(told["orders"][0]["orderId"])


async def test_a_market_order_takes_one_request(bench: CcxtBench) -> None:
    requests = count(bench)
    await submit(bench)
    assert requests.seen == 1


async def test_what_filled_partly_and_expired_is_final_with_what_it_filled(bench: CcxtBench) -> None:
    bench.simulator.faults.arm([PartialFills(parts=2, share=Decimal("0.5"))])
    request = bench.request("buy", "0.00200")
    report = await bench.broker.submit(request, open_window())
    assert (report.status, report.final, report.filled_quantity) == ("expired", True, Decimal("0.00100"))
    assert await bench.broker.find(request) == report


async def test_a_resting_order_is_not_final(bench: CcxtBench) -> None:
    request = bench.request("sell", "0.001", order_type="limit", price=bench.price * 2)
    report = await bench.broker.submit(request, open_window())
    assert (report.status, report.final) == ("open", False)
    (order,) = (await ledger(bench))["orders"]
    assert Decimal(order["price"]) == (bench.price * 2).quantize(Decimal("0.01"))


async def test_a_fee_in_a_third_coin_is_worth_its_price_at_the_fill() -> None:
    """The candle that holds the fill is asked for without the code under test; its open is the price."""
    spec = AccountSpec(name="main", keys=(KEY,), balances={**MAIN.balances, "BNB": Decimal(5)}, fees_in_bnb=True)
    async with ccxt_bench(spec) as bench:
        request = bench.request("buy", "0.01")
        report = await bench.broker.submit(request, open_window())
        (fill,) = report.fills
        query: dict[str, str | int] = {
            "symbol": "BNBUSDT",
            "interval": "1m",
            "startTime": fill.at // 60_000 * 60_000,
            "limit": 1,
        }
        async with (
            aiohttp.ClientSession(bench.simulator.url) as session,
            session.get("/api/v3/klines", params=query) as answer,
        ):
            ((_, opening, *_),) = await answer.json()
        assert fill.fee_currency == "BNB"
        assert fill.fee > 0
        assert fill.fee_value == (fill.fee * Decimal(opening)).quantize(Decimal("1e-18"))
        assert await bench.broker.find(request) == report, "whoever asks again is told the same"


async def test_a_stop_rests_at_its_trigger_is_found_and_can_be_cancelled(bench: CcxtBench) -> None:
    trigger = (bench.price / 2).quantize(Decimal("0.01"))
    request = bench.request("sell", "0.001", order_type="stop", price=trigger)
    placed = await bench.broker.submit(request, open_window())
    assert (placed.status, placed.fills) == ("open", ())
    (order,) = (await ledger(bench))["orders"]
    assert (order["type"], Decimal(order["stopPrice"])) == ("STOP_LOSS", trigger)
    assert await bench.broker.find(request) == placed
    assert (await bench.broker.cancel(request)).status == "cancelled"


async def test_a_stop_above_the_market_is_refused_for_good(bench: CcxtBench) -> None:
    with pytest.raises(OrderRejected, match="trigger"):
        await submit(bench, side="sell", order_type="stop", price=bench.price * 2)


async def test_where_a_stop_could_not_be_looked_up_none_is_sent(
    bench: CcxtBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brokers.ccxt_spot.habits_of", lambda venue: HABITS["mexc"])
    with pytest.raises(OrderRejected, match="stop orders are not sent to binance"):
        await submit(bench, side="sell", order_type="stop", price=bench.price / 2)
    assert await bench.accepted() == []


async def test_the_rounding_of_the_process_stays_what_it_was(bench: CcxtBench) -> None:
    """ccxt sets the context that it finds to round half up, and to trap underflow."""
    with decimal.localcontext(rounding=decimal.ROUND_HALF_EVEN) as context:
        context.traps[decimal.Underflow] = False
        await submit(bench)
        assert decimal.getcontext() is context
        assert context.rounding == decimal.ROUND_HALF_EVEN
        assert not context.traps[decimal.Underflow]


ACCEPTED: list[Fault] = [
    DropAnswer(),
    Accept504(),
    Accept504(html=True),
    Garbage(endpoint=PLACING),
    Garbage(endpoint=PLACING, body=""),
    Garbage(endpoint=PLACING, body='{"symbol":"BTCUSDT","orderId":1'),
    Garbage(endpoint=PLACING, body="{}"),
    Garbage(endpoint=PLACING, body='[["nonsense"]]'),
    Delay(endpoint=PLACING, after_ms=2_000),
]  # fmt: skip
NEVER_ACCEPTED: list[Fault] = [
    HttpError(endpoint=PLACING),
    HttpError(endpoint=PLACING, status=503),
    HttpError(endpoint=PLACING, code=-1001, msg="Internal error; unable to process your request. Please try again."),
    HttpError(endpoint=PLACING, status=502),
    HttpError(endpoint=PLACING, status=504),
    HttpError(endpoint=PLACING, status=520),
    HttpError(endpoint=PLACING, status=400, code=-1006, msg="An unexpected response was received."),
    HttpError(endpoint=PLACING, status=400, code=-2010, msg="Duplicate order sent."),
    Maintenance(endpoint=PLACING),
    Reset(endpoint=PLACING),
    Hang(endpoint=PLACING, seconds=3),
]


def named(fault: object) -> str:
    return str(fault).replace("endpoint='POST /api/v3/order' probability=1.0 seed=0 count=None ", "")


@pytest.mark.parametrize("fault", ACCEPTED, ids=named)
async def test_an_order_that_was_accepted_unheard_is_uncertain_and_found(bench: CcxtBench, fault: Fault) -> None:
    request = bench.request()
    bench.simulator.faults.arm([fault])
    with pytest.raises(OrderUncertain):
        await bench.broker.submit(request, open_window())
    bench.simulator.faults.arm([])
    found = await bench.broker.find(request)
    assert found is not None
    assert found.status == "filled"
    assert await bench.accepted() == [request.intent.client_order_id]


@pytest.mark.parametrize("fault", NEVER_ACCEPTED, ids=named)
async def test_an_order_that_may_have_been_accepted_is_uncertain(bench: CcxtBench, fault: Fault) -> None:
    request = bench.request()
    bench.simulator.faults.arm([fault])
    with pytest.raises(OrderUncertain):
        await bench.broker.submit(request, open_window())
    bench.simulator.faults.arm([])
    assert await bench.broker.find(request) is None
    assert await bench.accepted() == []


@pytest.mark.parametrize(
    ("code", "message"),
    [(-2010, "Account has insufficient balance for requested action."), (-1013, "Filter failure: LOT_SIZE"),
     (-1013, "Market is closed."), (-1121, "Invalid symbol."), (-1111, "Parameter 'quantity' has too much precision.")],
)  # fmt: skip
async def test_what_the_venue_refuses_for_good_is_rejected(bench: CcxtBench, code: int, message: str) -> None:
    bench.simulator.faults.arm([HttpError(endpoint=PLACING, status=400, code=code, msg=message)])
    with pytest.raises(OrderRejected, match=message[:20]):
        await submit(bench)


@pytest.mark.parametrize("status", [418, 429])
async def test_too_many_requests_hold_the_address_back_for_everybody(bench: CcxtBench, status: Any) -> None:
    bench.simulator.faults.arm([RateLimit(endpoint=PLACING, status=status, retry_after=9)])
    with pytest.raises(NotSent) as refused:
        await submit(bench)
    assert refused.value.retry_after == pytest.approx(9, abs=0.5)
    requests = count(bench)
    with pytest.raises(VenueUnavailable, match="left alone"):
        await bench.broker.find(bench.request())
    with pytest.raises(NotSent, match="left alone"):
        await submit(bench)
    assert requests.seen == 0
    assert await bench.accepted() == []


async def test_a_venue_that_is_gone_has_certainly_got_nothing(bench: CcxtBench) -> None:
    await bench.simulator.close()
    with pytest.raises(VenueUnavailable):
        await bench.broker.find(bench.request())  # finds the last connection dead
    with pytest.raises(NotSent, match="Cannot connect"):
        await submit(bench)


async def test_a_venue_that_does_not_answer_is_left_to_rest_and_then_tried_again(bench: CcxtBench) -> None:
    bench.simulator.faults.arm([HttpError(status=503)])
    for _ in range(5):
        with pytest.raises(VenueUnavailable):
            await bench.broker.find(bench.request())
    requests = count(bench)
    with pytest.raises(NotSent, match="did not answer 5 times"):
        await submit(bench)
    assert requests.seen == 0
    access = (await bench.gateway.client(bench.account.venue)).access
    access.breaker._opened -= 2  # its rest is over
    assert (await submit(bench)).status == "filled"


async def test_a_clock_that_was_moved_is_measured_anew_before_anything_is_signed_by_it(bench: CcxtBench) -> None:
    """The exchange's clock jumps by 6 s: the first order is too old there, the second finds the clocks apart."""
    bench.simulator.faults.arm([ClockSkew(ms=6_000)])
    request = bench.request()
    for reason in ("-1021", "has been moved"):
        with pytest.raises(NotSent, match=reason):
            await bench.broker.submit(request, open_window())
    assert (await bench.broker.submit(request, open_window())).status == "filled"
    assert await bench.accepted() == [request.intent.client_order_id]
    assert bench.gateway.clocks[bench.account.venue].offset_ms == pytest.approx(6_000, abs=50)


async def test_a_sale_of_more_than_there_is_tells_what_is_free(bench: CcxtBench) -> None:
    """Of 2 BTC half a bitcoin is held back by an order that rests."""
    await submit(bench, side="sell", quantity="0.5", order_type="limit", price=bench.price * 2)
    with pytest.raises(InsufficientBalance) as refused:
        await submit(bench, side="sell", quantity="1.9")
    assert refused.value.free == MAIN.balances["BTC"] - Decimal("0.5")
    bench.simulator.faults.arm([HttpError(endpoint="/api/v3/account", status=503)])
    with pytest.raises(InsufficientBalance) as refused:
        await submit(bench, side="sell", quantity="1.9")
    assert refused.value.free is None


async def test_an_order_that_nobody_shows_yet_is_not_found(bench: CcxtBench) -> None:
    bench.simulator.faults.arm([InvisibleOrder(for_ms=60_000)])
    request = bench.request()
    assert (await bench.broker.submit(request, open_window())).status == "filled"
    assert await bench.broker.find(request) is None


async def test_keys_that_are_refused_stop_the_account_and_nobody_else(bench: CcxtBench) -> None:
    refusal = HttpError(endpoint=PLACING, status=401, code=-2015, msg="Invalid API-key, IP, or permissions for action.")
    bench.simulator.faults.arm([refusal])
    with pytest.raises(AccountRefused, match="-2015"):
        await submit(bench)
    requests = count(bench)
    with pytest.raises(NotSent, match="keys were refused"):
        await submit(bench)
    assert requests.seen == 0
    assert "-2015" in (bench.gateway.keeps_out(bench.account) or "")
    # Only the order was refused, so it can still be looked up.
    assert await bench.broker.find(bench.request()) is None
    assert "-2015" in (bench.gateway.keeps_out(bench.account) or "")
    bench.simulator.faults.arm([HttpError(status=401, code=-2015, msg="Invalid API-key, IP, or permissions.")])
    for _ in range(2):
        with pytest.raises(AccountRefused):
            await bench.broker.find(bench.request())
    assert bench.simulator.faults.armed[0].seen == 1
    bench.simulator.faults.arm([])
    await (await bench.gateway.client(bench.account.venue)).time()


async def test_keys_that_work_again_are_noticed_and_rotated_ones_begin_anew(
    bench: CcxtBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.simulator.faults.arm([HttpError(status=401, code=-2015, msg="Invalid API-key, IP, or permissions.")])
    with pytest.raises(AccountRefused):
        await bench.broker.find(bench.request())
    assert bench.gateway.standings()[bench.account].refused is not None
    bench.simulator.faults.arm([])
    with pytest.raises(AccountRefused, match="tried again in"):
        await bench.gateway.try_again(bench.account)
    monkeypatch.setattr("brokers.key_standing._REST_SECONDS", 0)
    await bench.gateway.try_again(bench.account)
    assert bench.gateway.keeps_out(bench.account) is None
    bench.vault.kept["main"] = credentials("binance", KEY.key, "another-secret")
    with pytest.raises(AccountRefused):
        await bench.gateway.try_again(bench.account)
    assert bench.gateway.keeps_out(bench.account) is not None
    bench.vault.kept["main"] = credentials("binance", KEY.key, KEY.secret)
    await bench.gateway.try_again(bench.account)
    assert bench.gateway.standings() == {bench.account: KeyState(refused=None, orders=False)}


async def test_a_wrong_secret_is_refused(bench: CcxtBench) -> None:
    bench.vault.kept["main"] = credentials("binance", KEY.key, "another-secret")
    with pytest.raises(AccountRefused):
        await submit(bench)


async def test_rotated_keys_are_used_at_once(bench: CcxtBench) -> None:
    before = await bench.gateway.account_client(bench.account)
    bench.vault.kept["main"] = credentials("binance", KEY.key, "another-secret")
    with pytest.raises(AccountRefused):
        await bench.broker.find(bench.request())
    bench.vault.kept["main"] = credentials("binance", KEY.key, KEY.secret)
    after = await bench.gateway.account_client(bench.account)
    assert after is not before
    assert await bench.gateway.account_client(bench.account) is after
    assert (await submit(bench)).status == "filled"


async def test_credentials_that_cannot_be_opened_send_nothing(bench: CcxtBench) -> None:
    bench.vault.kept.clear()
    with pytest.raises(AccountRefused, match="no credentials 'main'"):
        await submit(bench)
    with pytest.raises(AccountRefused):
        await bench.broker.find(bench.request())


async def test_credentials_of_another_venue_are_refused(bench: CcxtBench) -> None:
    bench.vault.kept["main"] = credentials("kraken", KEY.key, KEY.secret)
    with pytest.raises(AccountRefused, match="are for kraken"):
        await bench.broker.find(bench.request())


@pytest.mark.parametrize(
    "fault",
    [HttpError(status=500), HttpError(status=502), HttpError(status=401, code=-2015, msg=f"bad key {KEY.key}"),
     Reset(), Hang(seconds=3), Garbage(endpoint=EVERYTHING), Garbage(endpoint=EVERYTHING, body=KEY.secret),
     RateLimit(), HttpError(status=400, code=-1022, msg=f"Signature for {KEY.key} is not valid.")],
    ids=named,
)  # fmt: skip
async def test_neither_keys_nor_signatures_are_told(
    bench: CcxtBench, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench.simulator.faults.arm([fault])
    told = []
    for attempt in (bench.broker.find(bench.request()), submit(bench)):
        with pytest.raises(SteadyhandError) as failed:
            await attempt
        told += [*traceback.format_exception(failed.value), repr(failed.value)]
        assert all(isinstance(error, SteadyhandError) for error in chain(failed.value))
    client = await bench.gateway.account_client(bench.account)
    shown = " ".join([*told, caplog.text, repr(client), str(client.exchange)])
    for secret in (KEY.key, KEY.secret, "signature="):
        assert secret not in shown


async def test_an_account_keeps_to_the_connections_of_its_venue(bench: CcxtBench) -> None:
    client = await bench.gateway.account_client(bench.account)
    public = await bench.gateway.client(bench.account.venue)
    assert client.exchange.session is public.session  # type: ignore[attr-defined]
    assert client.exchange.markets is public.exchange.markets


async def test_markets_are_loaded_once_for_all_accounts_of_a_venue(bench: CcxtBench) -> None:
    requests = count(bench, "/api/v3/exchangeInfo")
    other = bench.account.model_copy(update={"credentials": "other"})
    bench.vault.kept["other"] = credentials("binance", KEY.key, KEY.secret)
    assert await bench.gateway.account_client(other) is not await bench.gateway.account_client(bench.account)
    assert requests.seen == 0
