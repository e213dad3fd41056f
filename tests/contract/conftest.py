"""Each test of the contract runs once per broker."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from tests.contract.benches import Bench, SendingBench, ccxt_bench, paper_bench, toy_bench

SENDING: dict[str, Callable[[], AbstractAsyncContextManager[SendingBench]]] = {
    "ccxt": ccxt_bench,
    "plugin": toy_bench,
}
ALL: dict[str, Callable[[], AbstractAsyncContextManager[Bench]]] = {"paper": paper_bench, **SENDING}


@pytest.fixture(params=ALL)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with ALL[request.param]() as opened:
        yield opened


@pytest.fixture(params=SENDING)
async def sending(request: pytest.FixtureRequest) -> AsyncIterator[SendingBench]:
    async with SENDING[request.param]() as opened:
        yield opened
