"""One client per venue and address, pointed where it should be."""

import subprocess
import sys
from pathlib import Path

import pytest

from brokers.addresses import is_loopback, moved_to
from brokers.ccxt_import import exchange_ids
from brokers.gateway import Gateway
from domain.errors import VenueMisfit
from domain.instruments import VenueRef

ROOT = Path(__file__).parents[2]

ADDRESSES = {
    "public": "https://api.binance.com/api/v3",
    "sapi": "https://api.binance.com/sapi/v1",
    "web": {"v1": "https://{hostname}/open/v1?x=1"},
}


def test_another_host_keeps_the_paths() -> None:
    assert moved_to("http://127.0.0.1:8899", ADDRESSES) == {
        "public": "http://127.0.0.1:8899/api/v3",
        "sapi": "http://127.0.0.1:8899/sapi/v1",
        "web": {"v1": "http://127.0.0.1:8899/open/v1?x=1"},
    }


def test_a_path_of_the_other_host_goes_in_front() -> None:
    assert moved_to("https://proxy.example/binance/", ADDRESSES["public"]) == "https://proxy.example/binance/api/v3"


@pytest.mark.parametrize(
    ("url", "here"),
    [("http://127.0.0.1:1", True), ("http://localhost:1", True), ("http://[::1]:1", True), (None, False),
     ("https://api.binance.com", False), ("http://10.0.0.1:1", False)],
)  # fmt: skip
def test_addresses_of_this_machine_are_known(url: str | None, here: bool) -> None:
    assert is_loopback(url) is here


async def test_equal_venues_share_a_client(gateway: Gateway) -> None:
    simulated = VenueRef(name="binance", base_url="http://127.0.0.1:9")
    assert await gateway.client(simulated) is await gateway.client(simulated.model_copy())
    assert await gateway.client(simulated) is not await gateway.client(VenueRef(name="binance"))


async def test_numbers_are_text_and_only_spot_is_loaded(gateway: Gateway) -> None:
    exchange = (await gateway.client(VenueRef(name="binance"))).exchange
    assert exchange.number is str
    assert exchange.options["fetchMarkets"]["types"] == ["spot"]
    assert exchange.options["fetchCurrencies"] is False


async def test_the_test_network_is_another_address(gateway: Gateway) -> None:
    exchange = (await gateway.client(VenueRef(name="binance", sandbox=True))).exchange
    assert "testnet" in exchange.urls["api"]["public"]


async def test_a_venue_without_a_test_network_says_so(gateway: Gateway) -> None:
    with pytest.raises(VenueMisfit, match="no test network") as caught:
        await gateway.client(VenueRef(name="kraken", sandbox=True))
    assert caught.value.path == "broker.sandbox"


def test_all_exchanges_are_known_by_name() -> None:
    assert {"binance", "kraken", "okx", "bybit"} < exchange_ids()
    assert "base" not in exchange_ids()


def test_one_exchange_is_imported_without_the_others_and_the_rest_of_ccxt_still_works() -> None:
    program = """
import sys
from brokers.ccxt_import import exchange_class
assert exchange_class("binance").__name__ == "binance"
assert "ccxt.async_support.kraken" not in sys.modules and "ccxt.kraken" not in sys.modules
import ccxt.async_support
assert ccxt.async_support.kraken.__name__ == "kraken"
assert "kraken" in ccxt.async_support.exchanges
assert exchange_class("binance") is ccxt.async_support.binance
assert issubclass(ccxt.BadSymbol, ccxt.ExchangeError)
assert ccxt.__version__ == ccxt.async_support.__version__
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
