"""The configuration of one bot, as the user writes it: every key, its range and its meaning.

The models refuse unknown keys. Keys whose effect is not built yet are marked `later` and accept their default only.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from domain.config_errors import InvalidConfig, Problem, dotted, problems_of, shown
from domain.config_types import (
    Addresses,
    Amount,
    Count,
    FeeRate,
    Flag,
    Fraction,
    GainPercent,
    Host,
    Interval,
    Lookback,
    LossPercent,
    Minutes,
    Name,
    OrderType,
    Seconds,
    Slug,
    SmallPercent,
    Symbol,
    Venue,
    later,
)
from domain.instruments import AccountRef, VenueRef

DEFAULT_POSITION_FRACTION = Decimal("0.1")
PAPER = "paper"
CUSTOM_STRATEGY = "CustomStrategy"


class Section(BaseModel):
    """A part of the configuration. Frozen; a key that is not here is an error. Writes the keys that were set only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_serializer(mode="wrap")
    def _what_was_set(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Configurations travel with every watch and every order: their defaults need not.
        return {key: value for key, value in write(self).items() if key in self.model_fields_set}


class PaperTradingConfig(Section):
    """What a paper fill costs."""

    fee_rate: Annotated[FeeRate, Field(description="Share of the notional; 0.001 is 0.1 %.")] = Decimal("0.001")
    slippage_pct: Annotated[SmallPercent, Field(description="Percent against the taker; 0.05 is 0.05 %.")] = Decimal(
        "0.05"
    )
    fee_currency: Annotated[
        Literal["received", "quote"], Field(description="received: base on buys, quote on sells; quote: always quote.")
    ] = "received"


class BrokerConfig(Section):
    """Where the orders go."""

    type: Annotated[Venue, Field(description="A ccxt exchange id; or paper, for fills without a venue of their own.")]
    trading_mode: Literal["paper", "live"]
    name: Annotated[Name, Field(description="Label.")]
    cash: Annotated[Amount, Field(description="Quote currency. Paper: starting cash; live: the capital allotted.")]
    credentials: Annotated[Slug | None, Field(description="Name of stored keys.")] = None
    live_trading_confirmed: Annotated[Flag, Field(description="Must be true when live: real money is traded.")] = False
    sandbox: Annotated[Flag, Field(description="The venue's test network.")] = False
    base_url: Annotated[Host | None, Field(description="Another host: a proxy, a simulator.")] = None
    paper_trading_config: PaperTradingConfig = PaperTradingConfig()


class LogicConfig(Section):
    """An entry or exit logic by name, with its parameters; the strategies know which there are."""

    name: Name
    params: dict[str, JsonValue] = Field(default_factory=dict)


class StrategyParameters(Section):
    """What `CustomStrategy` is made of."""

    entry_logic: LogicConfig
    exit_logic: LogicConfig
    position_size: Annotated[Fraction | None, Field(description="Fraction of cash; trading.position_size wins.")] = None


class OwnParameters(Section):
    """The parameters of a plugin's strategy; the plugin knows which there are."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    position_size: Annotated[Fraction | None, Field(description="Fraction of cash; trading.position_size wins.")] = None


class StrategyConfig(Section):
    """The strategy by its type, with its parameters."""

    type: Name
    parameters: StrategyParameters | OwnParameters

    @field_validator("parameters", mode="before")
    @classmethod
    def _of_its_type(cls, value: Any, info: ValidationInfo) -> StrategyParameters | OwnParameters:
        if isinstance(value, StrategyParameters | OwnParameters):
            return value
        model = StrategyParameters if info.data.get("type", CUSTOM_STRATEGY) == CUSTOM_STRATEGY else OwnParameters
        return model.model_validate(value)

    @property
    def logics(self) -> tuple[LogicConfig, LogicConfig]:
        """Its entry and its exit: for a plugin's strategy, both are the strategy itself."""
        if isinstance(self.parameters, StrategyParameters):
            return self.parameters.entry_logic, self.parameters.exit_logic
        both = LogicConfig(name=self.type, params=self.parameters.__pydantic_extra__)
        return both, both


class DataConfig(Section):
    """Which market is watched, and how closely."""

    data_source: Annotated[Venue, Field(description="Venue of the market data.")]
    interval: Annotated[Interval, Field(description="Length of a candle, 1s to 1M.")]
    lookback_bars: Annotated[Lookback, Field(description="Candles at least; more where needed.")] = 500
    price_interval_seconds: Annotated[Seconds, Field(description="How often the price is watched for stops.")] = 1.0
    stream: Annotated[Flag, later(default=False), Field(description="Websockets instead of polling.")] = False


class TradingConfig(Section):
    """How much is bought, and how."""

    position_size: Annotated[Fraction | None, Field(description="Fraction of available cash; 0.1 if unset.")] = None
    max_positions: Annotated[Count, Field(description="Entries open at once; they form one position.")] = 1
    entry_order: OrderType = "market"
    exit_order: OrderType = "market"
    limit_offset_pct: Annotated[
        SmallPercent, Field(description="Percent below the market to buy at a limit, above it to sell.")
    ] = Decimal(0)
    limit_timeout_seconds: Annotated[
        Seconds, Field(description="A limit rests for so long; then a purchase is cancelled, a sale made at market.")
    ] = 60.0
    on_stop: Annotated[
        Literal["keep_position", "close_position"], Field(description="When the row is disabled or deleted.")
    ] = "keep_position"
    on_reconfigure: Annotated[
        Literal["adopt", "after_exit"], Field(description="Which exit rules an open position follows.")
    ] = "adopt"


class StoplossGuard(Section):
    """A pause after several stops in a short time."""

    stops: Count
    within_minutes: Minutes
    pause_minutes: Minutes


class RiskConfig(Section):
    """Limits; each is off while unset."""

    max_position_size: Annotated[Amount | None, Field(description="Cap of the position's notional in quote.")] = None
    stop_loss_pct: Annotated[LossPercent | None, Field(description="Percent below the entry; 3.0 is 3 %.")] = None
    take_profit_pct: Annotated[GainPercent | None, Field(description="Percent above the entry; 6.0 is 6 %.")] = None
    max_daily_loss: Annotated[Amount | None, Field(description="Quote per UTC day, realised and unrealised.")] = None
    max_daily_trades: Annotated[Count | None, Field(description="Entries per UTC day.")] = None
    cooldown_minutes: Annotated[Minutes, Field(description="No entry for so long after any exit.")] = 0.0
    stoploss_guard: Annotated[StoplossGuard | None, later(None)] = None
    max_drawdown_pct: Annotated[LossPercent | None, later(None), Field(description="From the equity peak.")] = None
    exchange_stop: Annotated[Flag, Field(description="When live, a stop rests on the exchange as well.")] = False


class ErrorBudget(Section):
    """How many errors in how long a bot may have before it is tripped."""

    errors: Count = 10
    within_minutes: Minutes = 60.0


class Recipients(Section):
    """Who is told, by channel."""

    telegram: Addresses = ()
    email: Addresses = ()
    webhook: Addresses = ()


class NotificationsConfig(Section):
    """What is told, and by which channel."""

    position_opened: Flag = True
    position_closed: Flag = True
    error_notifications: Flag = True
    risk_alerts: Flag = True
    telegram_enabled: Flag = False
    email_enabled: Annotated[Flag, later(default=False)] = False
    webhook_enabled: Annotated[Flag, later(default=False)] = False
    performance_summaries: Annotated[Literal["none", "daily", "weekly", "monthly"], later("none")] = "none"
    recipients: Annotated[Recipients, later(Recipients())] = Recipients()


class LoggingConfig(Section):
    """How much the bot writes to the log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"


class BotConfig(Section):
    """One bot."""

    id: Annotated[Slug, Field(description="Primary key, and part of the workflow id bot-<id>.")]
    name: Name
    description: Annotated[str | None, Field(max_length=10_000)] = None
    enabled: Annotated[Flag, Field(description="Whether the bot is to trade.")]
    symbol: Annotated[Symbol, Field(description="BTCUSDT or BTC/USDT; resolved against the venue's markets.")]
    broker: BrokerConfig
    strategy: StrategyConfig
    data: DataConfig
    trading: TradingConfig = TradingConfig()
    risk_management: RiskConfig = RiskConfig()
    error_budget: Annotated[ErrorBudget, later(ErrorBudget())] = ErrorBudget()
    notifications: NotificationsConfig = NotificationsConfig()
    logging: LoggingConfig = LoggingConfig()

    @property
    def position_fraction(self) -> Decimal:
        """The fraction of available cash that one entry buys for, in (0, 1]."""
        own = self.trading.position_size or self.strategy.parameters.position_size
        return own or DEFAULT_POSITION_FRACTION

    @property
    def venue(self) -> VenueRef:
        """The venue of the market data, and of the orders when live."""
        return VenueRef(name=self.data.data_source, base_url=self.broker.base_url, sandbox=self.broker.sandbox)

    @property
    def protected(self) -> bool:
        """Whether a stop is to rest at the exchange beside a position."""
        return self.risk_management.exchange_stop and self.account is not None

    @property
    def account(self) -> AccountRef | None:
        """The account that is traded; None on paper."""
        if self.broker.trading_mode == PAPER or self.broker.credentials is None:
            return None
        return AccountRef(venue=self.venue, credentials=self.broker.credentials)


def parse_config(raw: Mapping[str, Any]) -> BotConfig:
    """Return the configuration in `raw`, a JSON document.

    Whether the strategy, the venue and the symbol exist is checked by those who know them.

    Raises:
        InvalidConfig: with every problem at once.
    """
    related = tuple(_cross_field_problems(raw)) if isinstance(raw, Mapping) else ()
    try:
        config = BotConfig.model_validate(raw)
    except ValidationError as error:
        raise InvalidConfig((*problems_of(error, BotConfig), *related)) from None
    if related:
        raise InvalidConfig(related)
    return config


_REQUIRED_WHEN_LIVE = (
    ("broker", "credentials"),
    ("risk_management", "max_position_size"),
    ("risk_management", "max_daily_loss"),
)


def _cross_field_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Judge the raw document, so that these problems come together with those of single keys."""
    if _at(raw, "data", "data_source") == PAPER:
        yield Problem(path="data.data_source", message="must be the id of an exchange; 'paper' has no market data")
    if _at(raw, "broker", "trading_mode") != "live":
        return
    broker, source = _at(raw, "broker", "type"), _at(raw, "data", "data_source")
    if broker == PAPER:
        yield Problem(path="broker.trading_mode", message="must be paper when broker.type is paper; was 'live'")
    elif broker != source:
        message = f"must be the broker's own exchange when live, {shown(broker)}; was {shown(source)}"
        yield Problem(path="data.data_source", message=message)
    for place in _REQUIRED_WHEN_LIVE:
        if _at(raw, *place) is None:
            yield Problem(path=dotted(place), message="is required when broker.trading_mode is live")
    confirmed = _at(raw, "broker", "live_trading_confirmed")
    if confirmed is not True:
        message = f"must be true when broker.trading_mode is live; was {shown(confirmed or False)}"
        yield Problem(path="broker.live_trading_confirmed", message=message)


def _at(raw: Mapping[str, Any], section: str, key: str) -> Any:
    values = raw.get(section)
    return values.get(key) if isinstance(values, Mapping) else None
