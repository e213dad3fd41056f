"""Credentials of brokers, encrypted before they come here; the reasons are in db/tables/credentials.py."""

from alembic import op

revision = "0003"
down_revision = "0002"

_STATEMENTS = (
    """
    CREATE TABLE broker_credentials (
        name text NOT NULL,
        owner_id text NOT NULL DEFAULT 'local'::text,
        venue text NOT NULL,
        api_key_hint text NOT NULL,
        key_id text NOT NULL,
        ciphertext bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        rotated_at timestamptz,
        CONSTRAINT pk_broker_credentials PRIMARY KEY (name),
        CONSTRAINT ck_broker_credentials_name CHECK (name ~ '^[a-z0-9_-]{1,64}$')
    )
    """,
    "CREATE INDEX ix_broker_credentials_owner_id ON broker_credentials (owner_id)",
)


def upgrade() -> None:
    """Create the table."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
