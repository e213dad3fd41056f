"""Accounts under /sim: open one, list them, pay in. For whoever runs the simulator, so without a signature."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from simulator.routes.answers import answer, refusal
from simulator.trading.accounts import Account, AccountSpec, Amount, Asset, first_problem
from simulator.trading.desk import Desk


class Deposit(BaseModel):
    """The body of a deposit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asset: Asset
    amount: Amount


class AccountControlRoutes:
    """What the real venue has an office for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints for the router."""
        return [
            web.get("/sim/accounts", self.list),
            web.post("/sim/accounts", self.open),
            web.post("/sim/accounts/{name}/deposits", self.deposit),
        ]

    async def list(self, _request: web.Request) -> web.Response:
        """Answer with names and keys, without secrets."""
        return answer([_shown(account) for account in self._desk.accounts], {})

    async def open(self, request: web.Request) -> web.Response:
        """Open an account: an `AccountSpec`. 409 when its name or a key is taken."""
        try:
            spec = AccountSpec.model_validate_json(await request.read())
        except ValidationError as error:
            return refusal(400, first_problem(error))
        try:
            account = self._desk.accounts.open(spec, self._desk.exchange.clock.now_ms())
        except ValueError as error:
            return refusal(409, str(error))
        return web.json_response(_shown(account), status=201)

    async def deposit(self, request: web.Request) -> web.Response:
        """Pay in: {"asset": "USDT", "amount": "100"}."""
        account = self._desk.accounts.named(request.match_info["name"])
        if account is None:
            return refusal(404, f"no account is named {request.match_info['name']!r}")
        try:
            wanted = Deposit.model_validate_json(await request.read())
        except ValidationError as error:
            return refusal(400, first_problem(error))
        account.deposit(wanted.asset, wanted.amount, self._desk.settle(account))
        return answer(_shown(account), {})


def _shown(account: Account) -> dict[str, Any]:
    keys = [{"key": key.key, "permissions": sorted(key.permissions)} for key in account.keys]
    return {"name": account.name, "keys": keys}
