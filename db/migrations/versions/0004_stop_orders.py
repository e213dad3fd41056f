"""Orders that rest at the venue as stops; the reasons are in db/tables/books.py."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Let an order be of type stop."""
    connection = op.get_bind()
    connection.exec_driver_sql("ALTER TABLE trading_orders DROP CONSTRAINT ck_trading_orders_type")
    connection.exec_driver_sql(
        "ALTER TABLE trading_orders ADD CONSTRAINT ck_trading_orders_type "
        "CHECK (type = ANY (ARRAY['market'::text, 'limit'::text, 'stop'::text]))"
    )
