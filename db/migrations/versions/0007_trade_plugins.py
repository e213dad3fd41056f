"""Which plugins a round trip came from: their versions, by the part that they played; see db/tables/books.py."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column."""
    op.get_bind().exec_driver_sql("ALTER TABLE trading_trades ADD COLUMN plugins jsonb")
