"""Keys that a venue refuses: since when, in which words, and whether to orders alone; see db/tables/credentials.py."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns."""
    op.get_bind().exec_driver_sql(
        "ALTER TABLE broker_credentials ADD COLUMN refused_since timestamptz, ADD COLUMN refusal text, "
        "ADD COLUMN refused_orders boolean NOT NULL DEFAULT false"
    )
