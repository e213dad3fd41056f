"""The simulator's ledger, typed: what the exchange has really accepted."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class LedgerOrder(_Entry):
    """An order that was accepted. `executed_quote` is what its trades were worth."""

    order_id: int
    client_order_id: str
    symbol: str
    side: str
    quantity: Decimal = Field(alias="qty")
    executed: Decimal = Field(alias="executedQty")
    executed_quote: Decimal = Field(alias="executedQuoteQty")
    status: str


class LedgerTrade(_Entry):
    """A fill; `time` in milliseconds UTC."""

    trade_id: int
    order_id: int
    symbol: str
    price: Decimal
    quantity: Decimal = Field(alias="qty")
    commission: Decimal
    commission_asset: str
    time: int


class LedgerDeposit(_Entry):
    """Money that was paid in."""

    asset: str
    quantity: Decimal = Field(alias="qty")


class LedgerBalance(_Entry):
    """What there is of one asset."""

    asset: str
    free: Decimal
    locked: Decimal


class AccountLedger(_Entry):
    """One account; orders in the order of their acceptance."""

    account: str
    orders: tuple[LedgerOrder, ...] = ()
    trades: tuple[LedgerTrade, ...] = ()
    deposits: tuple[LedgerDeposit, ...] = ()
    balances: tuple[LedgerBalance, ...] = ()

    def balance(self, asset: str) -> Decimal:
        """Return all that there is of an asset."""
        return sum((held.free + held.locked for held in self.balances if held.asset == asset), Decimal(0))

    def deposited(self, asset: str) -> Decimal:
        """Return what was paid in of an asset."""
        return sum((each.quantity for each in self.deposits if each.asset == asset), Decimal(0))


class Ledger(_Entry):
    """All accounts."""

    accounts: tuple[AccountLedger, ...]

    def of(self, name: str) -> AccountLedger:
        """Return an account by its name."""
        return next(each for each in self.accounts if each.account == name)

    @property
    def size(self) -> tuple[int, int]:
        """How many orders and trades there are: two ledgers of one exchange with equal sizes are equal."""
        return sum(len(each.orders) for each in self.accounts), sum(len(each.trades) for each in self.accounts)
