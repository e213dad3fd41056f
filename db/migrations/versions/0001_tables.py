"""The tables of the bots, their books, their events and their messages.

Written as SQL, so that later changes of db/tables/ cannot change what was once applied.
"""

from alembic import op

revision = "0001"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE trading_bots (
        id text NOT NULL,
        uid uuid NOT NULL DEFAULT gen_random_uuid(),
        owner_id text NOT NULL DEFAULT 'local'::text,
        config jsonb NOT NULL,
        name text GENERATED ALWAYS AS (config ->> 'name'::text) STORED,
        symbol text GENERATED ALWAYS AS (config ->> 'symbol'::text) STORED,
        type text GENERATED ALWAYS AS (
            CASE (config -> 'broker'::text) ->> 'trading_mode'::text WHEN 'paper'::text THEN 'paper'::text
            WHEN 'live'::text THEN 'live'::text ELSE NULL::text END
        ) STORED,
        enabled boolean NOT NULL,
        desired_paused boolean NOT NULL DEFAULT false,
        version integer NOT NULL DEFAULT 1,
        status text NOT NULL DEFAULT 'stopped'::text,
        observed_version integer,
        rejected_version integer,
        journal_n bigint NOT NULL DEFAULT 0,
        carried jsonb,
        started_at timestamptz,
        total_pnl numeric(38, 18) NOT NULL DEFAULT 0,
        error_count integer NOT NULL DEFAULT 0,
        last_error text,
        last_heartbeat timestamptz,
        worker text,
        current_balance numeric(38, 18),
        last_price numeric(38, 18),
        last_candle_at timestamptz,
        degraded text,
        description text,
        extra_metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_trading_bots PRIMARY KEY (id),
        CONSTRAINT ck_trading_bots_id CHECK (id ~ '^[a-z0-9_-]{1,64}$'),
        CONSTRAINT ck_trading_bots_config CHECK (jsonb_typeof(config) = 'object'),
        CONSTRAINT ck_trading_bots_version CHECK (version >= 1),
        CONSTRAINT ck_trading_bots_status
            CHECK (status IN ('stopped', 'starting', 'running', 'paused', 'stopping', 'error', 'tripped')),
        CONSTRAINT uq_trading_bots_uid UNIQUE (uid)
    ) WITH (fillfactor = 45, toast_tuple_target = 256)
    """,
    "CREATE INDEX ix_trading_bots_owner_id ON trading_bots (owner_id)",
    """
    CREATE TABLE config_versions (
        bot_id text,
        bot_uid uuid NOT NULL,
        version integer NOT NULL,
        config jsonb NOT NULL,
        author text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_config_versions PRIMARY KEY (bot_uid, version),
        CONSTRAINT fk_config_versions_bot_id FOREIGN KEY (bot_id) REFERENCES trading_bots (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_config_versions_bot_id ON config_versions (bot_id)",
    """
    CREATE TABLE trading_orders (
        bot_id text,
        bot_uid uuid NOT NULL,
        client_order_id text NOT NULL,
        n bigint NOT NULL,
        sequence integer NOT NULL,
        leg integer NOT NULL,
        decision_key text NOT NULL,
        config_version integer NOT NULL,
        symbol text NOT NULL,
        side text NOT NULL,
        type text NOT NULL,
        quantity numeric(38, 18) NOT NULL,
        price numeric(38, 18),
        reference_price numeric(38, 18) NOT NULL,
        filled_quantity numeric(38, 18) NOT NULL,
        average_price numeric(38, 18),
        status text NOT NULL,
        venue_order_id text,
        reason text NOT NULL,
        status_reason text,
        candle_time timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_trading_orders PRIMARY KEY (client_order_id),
        CONSTRAINT ck_trading_orders_side CHECK (side IN ('buy', 'sell')),
        CONSTRAINT ck_trading_orders_type CHECK (type IN ('market', 'limit')),
        CONSTRAINT ck_trading_orders_status
            CHECK (status IN ('pending', 'open', 'partially_filled', 'filled',
                'cancelled', 'rejected', 'expired', 'unknown')),
        CONSTRAINT fk_trading_orders_bot_id FOREIGN KEY (bot_id) REFERENCES trading_bots (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_trading_orders_bot_id_created_at ON trading_orders (bot_id, created_at)",
    """
    CREATE TABLE trading_fills (
        bot_id text,
        bot_uid uuid NOT NULL,
        client_order_id text NOT NULL,
        trade_id text NOT NULL,
        n bigint NOT NULL,
        price numeric(38, 18) NOT NULL,
        quantity numeric(38, 18) NOT NULL,
        fee numeric(38, 18) NOT NULL,
        fee_currency text NOT NULL,
        filled_at timestamptz NOT NULL,
        CONSTRAINT pk_trading_fills PRIMARY KEY (client_order_id, trade_id),
        CONSTRAINT fk_trading_fills_bot_id FOREIGN KEY (bot_id) REFERENCES trading_bots (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_trading_fills_bot_id_filled_at ON trading_fills (bot_id, filled_at)",
    """
    CREATE TABLE trading_positions (
        bot_id text,
        bot_uid uuid NOT NULL,
        id text NOT NULL,
        n bigint NOT NULL,
        symbol text NOT NULL,
        direction text NOT NULL,
        qty_open numeric(38, 18) NOT NULL,
        cost numeric(38, 18) NOT NULL,
        avg_price numeric(38, 18) GENERATED ALWAYS AS (cost / NULLIF(qty_open, 0::numeric)) STORED,
        entries integer NOT NULL,
        realized_pnl numeric(38, 18) NOT NULL,
        commission numeric(38, 18) NOT NULL,
        exit_quantity numeric(38, 18) NOT NULL,
        exit_value numeric(38, 18) NOT NULL,
        released_cost numeric(38, 18) NOT NULL,
        config_version integer NOT NULL,
        signal_time timestamptz NOT NULL,
        signal_close numeric(38, 18) NOT NULL,
        orders text[] NOT NULL,
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_trading_positions PRIMARY KEY (id),
        CONSTRAINT ck_trading_positions_direction CHECK (direction IN ('long')),
        CONSTRAINT fk_trading_positions_bot_id FOREIGN KEY (bot_id) REFERENCES trading_bots (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_trading_positions_bot_id_opened_at ON trading_positions (bot_id, opened_at)",
    """
    CREATE TABLE trading_trades (
        bot_id text,
        bot_uid uuid NOT NULL,
        position_id text NOT NULL,
        n bigint NOT NULL,
        trade_type text NOT NULL,
        strategy text NOT NULL,
        entry_logic_name text NOT NULL,
        entry_logic_params jsonb NOT NULL,
        exit_logic_name text NOT NULL,
        exit_logic_params jsonb NOT NULL,
        symbol text NOT NULL,
        interval text NOT NULL,
        direction text NOT NULL,
        entry_time timestamptz NOT NULL,
        entry_price numeric(38, 18) NOT NULL,
        entry_value numeric(38, 18) NOT NULL,
        exit_time timestamptz,
        exit_price numeric(38, 18),
        exit_value numeric(38, 18),
        size numeric(38, 18) NOT NULL,
        commission numeric(38, 18) NOT NULL,
        gross_pnl numeric(38, 18) NOT NULL,
        net_pnl numeric(38, 18) NOT NULL,
        pnl_percentage numeric(38, 18) NOT NULL,
        exit_reason text,
        status text NOT NULL,
        orders text[] NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_trading_trades PRIMARY KEY (position_id),
        CONSTRAINT ck_trading_trades_trade_type CHECK (trade_type IN ('paper', 'live', 'backtest')),
        CONSTRAINT ck_trading_trades_direction CHECK (direction IN ('long')),
        CONSTRAINT ck_trading_trades_status CHECK (status IN ('open', 'closed')),
        CONSTRAINT fk_trading_trades_bot_id FOREIGN KEY (bot_id) REFERENCES trading_bots (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_trading_trades_bot_id_exit_time ON trading_trades (bot_id, exit_time)",
    """
    CREATE TABLE trading_performance_metrics (
        bot_id text,
        bot_uid uuid NOT NULL,
        trade_type text NOT NULL,
        symbol text NOT NULL,
        interval text NOT NULL,
        period text NOT NULL,
        n bigint NOT NULL,
        metrics jsonb NOT NULL,
        calculated_at timestamptz NOT NULL,
        CONSTRAINT pk_trading_performance_metrics PRIMARY KEY (bot_uid, trade_type, symbol, interval, period),
        CONSTRAINT ck_trading_performance_metrics_trade_type CHECK (trade_type IN ('paper', 'live', 'backtest')),
        CONSTRAINT fk_trading_performance_metrics_bot_id
            FOREIGN KEY (bot_id) REFERENCES trading_bots (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_trading_performance_metrics_bot_id ON trading_performance_metrics (bot_id)",
    """
    CREATE TABLE bot_events (
        bot_id text,
        bot_uid uuid NOT NULL,
        n bigint NOT NULL,
        at timestamptz NOT NULL,
        type text NOT NULL,
        severity text NOT NULL,
        message text NOT NULL,
        data jsonb NOT NULL,
        correlation_id text,
        CONSTRAINT pk_bot_events PRIMARY KEY (bot_uid, n),
        CONSTRAINT ck_bot_events_severity CHECK (severity IN ('info', 'warning', 'error')),
        CONSTRAINT fk_bot_events_bot_id FOREIGN KEY (bot_id) REFERENCES trading_bots (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_bot_events_bot_id_n ON bot_events (bot_id, n)",
    """
    CREATE TABLE notifications (
        bot_id text,
        bot_uid uuid NOT NULL,
        id bigint GENERATED ALWAYS AS IDENTITY,
        owner_id text NOT NULL,
        n bigint NOT NULL,
        channel text NOT NULL,
        kind text NOT NULL,
        severity text NOT NULL,
        title text NOT NULL,
        payload jsonb NOT NULL,
        state text NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        error text,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_notifications PRIMARY KEY (id),
        CONSTRAINT uq_notifications_bot_uid_n_channel UNIQUE (bot_uid, n, channel),
        CONSTRAINT ck_notifications_severity CHECK (severity IN ('info', 'warning', 'error')),
        CONSTRAINT ck_notifications_state CHECK (state IN ('pending', 'delivered', 'failed')),
        CONSTRAINT fk_notifications_bot_id FOREIGN KEY (bot_id) REFERENCES trading_bots (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_notifications_bot_id_n ON notifications (bot_id, n)",
)


def upgrade() -> None:
    """Create the tables, in the order of their references."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
