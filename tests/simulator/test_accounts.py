"""Accounts: opened by option, file and request; what they pay; what the ledger tells of them."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.clock import ManualClock
from simulator.exchange import Exchange, generated_market, replayed_market
from simulator.server import start_simulator
from simulator.trading.accounts import AccountSpec, ApiKey, read_accounts
from tests.simulator.conftest import SignedApi

NOW = 1_700_000_000_000


def test_the_short_form_names_an_account_for_its_key() -> None:
    spec = AccountSpec.parse("demo-key:demo-secret:USDT=1000,BTC=0.5")
    assert (spec.name, spec.keys[0].key, spec.keys[0].secret) == ("demo-key", "demo-key", "demo-secret")
    assert spec.balances == {"USDT": 1_000, "BTC": Decimal("0.5")}
    assert spec.keys[0].permissions == {"read", "trade"}
    assert AccountSpec.parse("k:s").balances == {}


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("key", "keys.0.secret: String should have at least 1 character"),
        (":hush", "name: String should match pattern"),
        ("key:hush:USDT", "balances.USDT: Input should be a valid decimal"),
        ("key:hush:USDT=-1", "balances.USDT: Input should be greater than 0"),
        ("key:hush:usdt=1", "balances.usdt.[key]: String should match pattern"),
    ],
)
def test_a_bad_short_form_is_refused_without_the_secret(option: str, complaint: str) -> None:
    with pytest.raises(ValueError, match="an account must be KEY:SECRET") as caught:
        AccountSpec.parse(option)
    assert complaint in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_file_holds_accounts(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    keys = [
        {"key": "k1", "secret": "s1"},
        {"key": "k2", "secret": "s2", "permissions": ["read"], "ip_restricted": True},
    ]
    file.write_text(json.dumps([{"name": "a", "keys": keys, "balances": {"USDT": "5"}, "taker_fee": "0.0004"}]))
    (spec,) = read_accounts(file)
    assert (spec.name, spec.taker_fee, spec.maker_fee) == ("a", Decimal("0.0004"), Decimal("0.001"))
    assert [(sorted(key.permissions), key.ip_restricted) for key in spec.keys] == [
        (["read", "trade"], False),
        (["read"], True),
    ]
    file.write_text('[{"name": "a", "taker_fee": "1"}]')
    with pytest.raises(ValueError, match=r"accounts\.json: 0\.taker_fee: Input should be less than 1"):
        read_accounts(file)


async def test_an_account_is_opened_and_paid_into_while_the_exchange_runs(api: Any, clock: ManualClock) -> None:
    spec = '{"name": "new", "keys": [{"key": "n", "secret": "s", "permissions": ["read"]}], "balances": {"USDT": "7"}}'
    expected = {"name": "new", "keys": [{"key": "n", "permissions": ["read"]}]}
    assert await api.post("/sim/accounts", spec) == (201, expected)
    assert (await api.get("/sim/accounts"))[1] == expected
    assert (await api.post("/sim/accounts", spec))[0] == 409
    assert (await api.post("/sim/accounts", '{"name": "other", "keys": [{"key": "n", "secret": "s"}]}'))[0] == 409
    assert (await api.post("/sim/accounts", "{}"))[1] == {"error": "name: Field required"}
    assert (await api.post("/sim/accounts/new/deposits", '{"asset": "USDT", "amount": "0.5"}'))[0] == 200
    assert (await api.post("/sim/accounts/new/deposits", '{"asset": "USDT", "amount": "0"}'))[0] == 400
    assert (await api.post("/sim/accounts/nobody/deposits", '{"asset": "USDT", "amount": "1"}'))[0] == 404
    (account,) = (await api.get("/ledger", account="new"))["accounts"]
    assert account["balances"] == [{"asset": "USDT", "free": "7.50000000", "locked": "0.00000000"}]
    assert account["deposits"] == [
        {"asset": "USDT", "qty": "7.00000000", "time": clock.now_ms()},
        {"asset": "USDT", "qty": "0.50000000", "time": clock.now_ms()},
    ]


async def test_the_ledger_shows_each_acceptance_of_a_client_id_and_what_became_of_it(private: Any, api: Any) -> None:
    order = {"side": "BUY", "type": "MARKET", "quantity": "0.001", "newClientOrderId": "twice"}
    first, second = await private.accepted(**order), await private.accepted(**order)
    (account,) = (await api.get("/ledger"))["accounts"]
    assert [(o["number"], o["orderId"], o["clientOrderId"], o["status"]) for o in account["orders"]] == [
        (1, first["orderId"], "twice", "FILLED"),
        (2, second["orderId"], "twice", "FILLED"),
    ]
    fills = first["fills"] + second["fills"]
    assert [(t["tradeId"], t["price"], t["qty"], t["commission"]) for t in account["trades"]] == [
        (fill["tradeId"], fill["price"], fill["qty"], fill["commission"]) for fill in fills
    ]
    balances = {held["asset"]: Decimal(held["free"]) for held in account["balances"]}
    assert balances["BTC"] == 2 + Decimal("0.002") - Decimal("0.000002")
    spent = sum(Decimal(trade["quoteQty"]) for trade in account["trades"])
    assert balances["USDT"] == 100_000 - spent
    status, body = await api.get_status("/ledger?account=nobody")
    assert (status, body) == (404, {"error": "no account is named 'nobody'"})


async def test_accounts_do_not_see_each_other(api: Any, private: Any) -> None:
    await api.post("/sim/accounts", '{"name": "b", "keys": [{"key": "b", "secret": "b"}], "balances": {"USDT": "100"}}')
    other = SignedApi(private._session, private._clock, ApiKey(key="b", secret="b"))
    order = {"side": "BUY", "type": "MARKET", "quantity": "0.001", "newClientOrderId": "same"}
    mine, theirs = await private.accepted(**order), await other.accepted(**order)
    assert (mine["orderId"], theirs["orderId"]) == (1, 2)
    assert (await other.refused("GET", "/api/v3/order", symbol="BTCUSDT", orderId=1))[0] == -2013
    assert len((await other("GET", "/api/v3/myTrades", symbol="BTCUSDT"))[1]) == len(theirs["fills"])


@pytest.mark.parametrize(
    ("permission", "endpoint", "allowed"),
    [
        ("read", ("GET", "/api/v3/account"), True),
        ("read", ("POST", "/api/v3/order"), False),
        ("trade", ("GET", "/api/v3/account"), False),
        ("trade", ("POST", "/api/v3/order"), True),
    ],
)
async def test_a_key_has_permissions(
    permission: str, endpoint: tuple[str, str], allowed: bool, api: Any, private: Any
) -> None:
    key = {"key": "k", "secret": "s", "permissions": [permission]}
    await api.post("/sim/accounts", json.dumps({"name": "k", "keys": [key], "balances": {"USDT": "100"}}))
    signed = SignedApi(private._session, private._clock, ApiKey(key="k", secret="s"))
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
    status, body = await signed(*endpoint, **(order if endpoint[0] == "POST" else {}))
    assert (status == 200) is allowed
    if not allowed:
        assert (status, body["code"]) == (401, -2015)


async def test_answers_count_weight_and_orders(simulator: Any, private: Any) -> None:
    query = private.sign(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001")
    headers = {"X-MBX-APIKEY": "key-of-main"}
    async with aiohttp.ClientSession(simulator.url) as session:
        async with session.post(f"/api/v3/order?{query}", headers=headers) as response:
            assert response.headers["X-MBX-ORDER-COUNT-10S"] == response.headers["X-MBX-ORDER-COUNT-1D"] == "1"
            assert response.headers["X-MBX-USED-WEIGHT-1M"] == "1"
        async with session.get("/api/v3/order") as response:
            assert (response.status, response.headers["X-MBX-USED-WEIGHT-1M"]) == (401, "1")


# BNB is worth 250 USDT, so that amounts are round.
@pytest.fixture
async def payer(tmp_path: Path) -> AsyncIterator[SignedApi]:
    clock = ManualClock(90_000)
    file = tmp_path / "bnb.csv"
    file.write_text("timestamp,open,high,low,close,volume\n0,250,250,250,250,9\n60000,250,250,250,250,9\n")
    key = ApiKey(key="payer", secret="payer")
    balances = {"USDT": Decimal(10_000), "BNB": Decimal("0.01"), "LTC": Decimal(100)}
    spec = AccountSpec(name="payer", keys=(key,), balances=balances, fees_in_bnb=True, taker_fee=Decimal("0.002"))
    exchange = Exchange(clock, [replayed_market("BNBUSDT", file), generated_market("LTCUSDT")])
    async with (
        await start_simulator(exchange, accounts=[spec]) as simulator,
        aiohttp.ClientSession(simulator.url) as session,
    ):
        yield SignedApi(session, clock, key)


async def test_fees_are_paid_in_bnb_at_a_discount_while_there_is_some(payer: SignedApi) -> None:
    order = await payer.accepted("LTCUSDT", side="SELL", type="MARKET", quantity="5")
    for fill in order["fills"]:
        # 0.2 percent of what was earned, less a quarter, at 250 USDT for one BNB.
        owed = Decimal(fill["price"]) * Decimal(fill["qty"]) * Decimal("0.002") * Decimal("0.75") / 250
        assert fill["commissionAsset"] == "BNB"
        assert 0 <= owed - Decimal(fill["commission"]) < Decimal("0.00000001")
    order = await payer.accepted("LTCUSDT", side="SELL", type="MARKET", quantity="90")
    assert {fill["commissionAsset"] for fill in order["fills"]} == {"BNB", "USDT"}
    (first,) = [fill for fill in order["fills"] if fill["commissionAsset"] == "USDT"][:1]
    full = Decimal(first["price"]) * Decimal(first["qty"]) * Decimal("0.002")
    assert 0 <= full - Decimal(first["commission"]) < Decimal("0.00000001")


async def test_limits_are_enforced_when_told_to() -> None:
    clock = ManualClock(NOW)
    key = ApiKey(key="fast", secret="fast")
    spec = AccountSpec(name="fast", keys=(key,), balances={"USDT": Decimal(10_000_000)})
    exchange = Exchange(clock, [generated_market("BTCUSDT")])
    async with (
        await start_simulator(exchange, accounts=[spec], limits_enforced=True) as simulator,
        aiohttp.ClientSession(simulator.url) as session,
    ):
        fast = SignedApi(session, clock, key)
        answers = [await fast.order(side="BUY", type="MARKET", quantity="0.001") for _ in range(205)]
        assert (
            429,
            {"code": -1015, "msg": "Too many new orders; current limit is 100 orders per 10 SECOND."},
        ) in answers
        statuses = []
        for _ in range(60):
            async with session.get("/api/v3/depth?symbol=BTCUSDT&limit=5000") as response:
                statuses.append((response.status, response.headers.get("Retry-After")))
        refused = [after for status, after in statuses if status == 429]
        assert refused
        assert all(after is not None and 1 <= int(after) <= 60 for after in refused)
