"""Signatures and deadlines; the examples are those of Binance's own documentation."""

from urllib.parse import urlencode

import pytest

from simulator.errors import VenueError
from simulator.trading.accounts import Accounts, AccountSpec, ApiKey
from simulator.trading.signing import SignedRequest, authenticate

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
SIGNED_AT = 1_499_827_319_559
ORDER = f"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp={SIGNED_AT}"
SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


@pytest.fixture
def accounts() -> Accounts:
    found = Accounts()
    key = ApiKey(key=KEY, secret=SECRET, permissions=frozenset({"trade"}))
    found.open(AccountSpec(name="documented", keys=(key,)), SIGNED_AT)
    return found


def refusal(accounts: Accounts, request: SignedRequest, now: int = SIGNED_AT) -> tuple[int, int]:
    with pytest.raises(VenueError) as caught:
        authenticate(accounts, request, "trade", now)
    return caught.value.code, caught.value.status


@pytest.mark.parametrize(
    ("query", "body"),
    [
        pytest.param("", f"{ORDER}&signature={SIGNATURE}", id="in the body"),
        pytest.param(f"{ORDER}&signature={SIGNATURE}", "", id="in the query"),
        pytest.param(f"signature={SIGNATURE.upper()}&{ORDER}", "", id="first, in capitals"),
        pytest.param(
            "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
            f"quantity=1&price=0.1&recvWindow=5000&timestamp={SIGNED_AT}"
            "&signature=0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
            id="in both",
        ),
    ],
)
def test_the_documented_signatures_are_accepted(query: str, body: str, accounts: Accounts) -> None:
    assert authenticate(accounts, SignedRequest(KEY, query, body), "trade", SIGNED_AT).name == "documented"


def test_a_changed_request_is_refused(accounts: Accounts) -> None:
    changed = ORDER.replace("quantity=1", "quantity=2")
    assert refusal(accounts, SignedRequest(KEY, f"{changed}&signature={SIGNATURE}", "")) == (-1022, 400)


def test_an_unsigned_request_is_refused(accounts: Accounts) -> None:
    assert refusal(accounts, SignedRequest(KEY, ORDER, "")) == (-1102, 400)


@pytest.mark.parametrize(("key", "code"), [(None, -2014), ("", -2014), ("a b", -2014), ("nobody", -2015)])
def test_a_key_must_be_known(key: str | None, code: int, accounts: Accounts) -> None:
    assert refusal(accounts, SignedRequest(key, f"{ORDER}&signature={SIGNATURE}", "")) == (code, 401)


def test_a_key_may_only_do_what_it_is_allowed_to(accounts: Accounts) -> None:
    with pytest.raises(VenueError) as caught:
        authenticate(accounts, SignedRequest(KEY, f"{ORDER}&signature={SIGNATURE}", ""), "read", SIGNED_AT)
    assert caught.value.code == -2015


@pytest.mark.parametrize("late", [-999, 0, 5_000])
def test_a_request_is_in_time_until_its_window_ends(late: int, accounts: Accounts) -> None:
    authenticate(accounts, SignedRequest(KEY, f"{ORDER}&signature={SIGNATURE}", ""), "trade", SIGNED_AT + late)


@pytest.mark.parametrize("late", [-1_000, 5_001])
def test_a_request_out_of_its_window_is_refused(late: int, accounts: Accounts) -> None:
    request = SignedRequest(KEY, f"{ORDER}&signature={SIGNATURE}", "")
    assert refusal(accounts, request, SIGNED_AT + late) == (-1021, 400)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, -1102),
        ({"timestamp": "now"}, -1100),
        ({"timestamp": SIGNED_AT, "recvWindow": 60_001}, -1131),
        ({"timestamp": SIGNED_AT, "recvWindow": "long"}, -1100),
    ],
)
def test_time_and_window_must_be_sensible(params: dict[str, object], code: int, accounts: Accounts) -> None:
    query = urlencode(params | {"signature": "0"})
    assert refusal(accounts, SignedRequest(KEY, query, "")) == (code, 400)
