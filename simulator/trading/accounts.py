"""Accounts: who may sign with which key, what they have and what they pay."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from simulator.trading.fees import FeeSchedule
from simulator.trading.orders import Orders
from simulator.trading.wallet import Wallet

Permission = Literal["read", "trade", "withdraw"]
Asset = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,20}$")]
Amount = Annotated[Decimal, Field(gt=0, lt=10**15, decimal_places=8)]
Rate = Annotated[Decimal, Field(ge=0, lt=1)]


class ApiKey(BaseModel):
    """A key as its owner keeps it; it may be restricted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")
    secret: str = Field(min_length=1, repr=False)
    permissions: frozenset[Permission] = frozenset({"read", "trade"})
    ip_restricted: bool = False


class AccountSpec(BaseModel):
    """What an account is opened with: an entry of `--accounts FILE`, the body of POST /sim/accounts.

    Args:
        balances: by asset, in units of it.
        maker_fee, taker_fee: shares of what a trade yields, in [0, 1).
        fees_in_bnb: pay fees in BNB, at a discount, while there is some.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    keys: tuple[ApiKey, ...] = ()
    balances: dict[Asset, Amount] = {}
    maker_fee: Rate = Decimal("0.001")
    taker_fee: Rate = Decimal("0.001")
    fees_in_bnb: bool = False

    @classmethod
    def parse(cls, option: str) -> Self:
        """Read the short form `KEY:SECRET:ASSET=AMOUNT,ASSET=AMOUNT`; the account is named for its key.

        Raises:
            ValueError: it is not of that form.
        """
        key, _, rest = option.partition(":")
        secret, _, holdings = rest.partition(":")
        balances = dict(part.partition("=")[::2] for part in holdings.split(",") if part)
        try:
            return cls.model_validate({"name": key, "keys": [{"key": key, "secret": secret}], "balances": balances})
        except ValidationError as error:
            # Not with what was typed, which holds the secret.
            expected = "an account must be KEY:SECRET:ASSET=AMOUNT,..."
            raise ValueError(f"{expected}; {first_problem(error)}") from None


def read_accounts(file: Path) -> list[AccountSpec]:
    """Read accounts from a JSON file: a list of objects with the fields of `AccountSpec`.

    Raises:
        ValueError: it is not such a file; says where.
        OSError: it cannot be read.
    """
    try:
        return TypeAdapter(list[AccountSpec]).validate_json(file.read_bytes())
    except ValidationError as error:
        raise ValueError(f"{file}: {first_problem(error)}") from None


def first_problem(error: ValidationError) -> str:
    """Return where input is wrong first, and how, without the input itself."""
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]


class Account:
    """An account that trades."""

    def __init__(self, spec: AccountSpec, now: int) -> None:
        self.name = spec.name
        self.keys = spec.keys
        self.fees = FeeSchedule(maker=spec.maker_fee, taker=spec.taker_fee, in_bnb=spec.fees_in_bnb)
        self.wallet = Wallet()
        self.orders = Orders()
        self.settled_ms = now
        for asset, quantity in spec.balances.items():
            self.deposit(asset, quantity, now)

    def deposit(self, asset: str, quantity: Decimal, now: int) -> None:
        """Put money in."""
        self.wallet.post(now, "deposit", asset, free=quantity)


class Accounts:
    """All accounts, by name and by key."""

    def __init__(self) -> None:
        self._by_name: dict[str, Account] = {}
        self._by_key: dict[str, tuple[Account, ApiKey]] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_name.values())

    def open(self, spec: AccountSpec, now: int) -> Account:
        """Open an account.

        Raises:
            ValueError: its name or one of its keys is taken.
        """
        if spec.name in self._by_name:
            raise ValueError(f"an account must have a name of its own; {spec.name!r} is taken")
        keys = [key.key for key in spec.keys]
        taken = sorted({key for key in keys if key in self._by_key or keys.count(key) > 1})
        if taken:
            raise ValueError(f"a key must belong to one account; {', '.join(taken)} would not")
        account = Account(spec, now)
        self._by_name[spec.name] = account
        self._by_key.update({key.key: (account, key) for key in spec.keys})
        return account

    def named(self, name: str) -> Account | None:
        """Return an account by its name."""
        return self._by_name.get(name)

    def with_key(self, key: str) -> tuple[Account, ApiKey] | None:
        """Return the account that a key belongs to, and the key."""
        return self._by_key.get(key)
