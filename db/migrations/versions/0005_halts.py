"""Halts: entries that a person has forbidden; see db/tables/bots.py. NOTIFY says that one has changed."""

from alembic import op

revision = "0005"
down_revision = "0004"

_STATEMENTS = (
    """
    CREATE TABLE trading_halts (
        scope text NOT NULL DEFAULT 'fleet'::text,
        reason text NOT NULL,
        author text NOT NULL DEFAULT CURRENT_USER,
        since timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_trading_halts PRIMARY KEY (scope),
        CONSTRAINT ck_trading_halts_scope CHECK (scope = 'fleet'::text)
    )
    """,
    """
    CREATE FUNCTION trading_halts_notify() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('trading_halts', '');
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER notify_halt AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
        ON trading_halts FOR EACH STATEMENT EXECUTE FUNCTION trading_halts_notify()
    """,
)


def upgrade() -> None:
    """Create the table and the trigger that tells of it."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
