"""Events that concern many bots at once, written beside their journals."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.values import clean
from domain.journal import Severity

# Stamped as the journal's are, by the microsecond. A row that somebody holds locked is left out: nothing may keep a
# halt waiting.
_TELL = text("""
    INSERT INTO bot_events (bot_id, bot_uid, n, at, type, severity, message, data)
    SELECT id, uid, floor(extract(epoch FROM now()) * 1000000), now(), :type, :severity, :message, '{}'
    FROM (
        SELECT id, uid FROM trading_bots
        WHERE enabled AND (
            CAST(:account AS text) IS NULL OR type = 'live' AND config -> 'broker' ->> 'credentials' = :account
        )
        FOR KEY SHARE SKIP LOCKED
    ) AS bot
    ON CONFLICT DO NOTHING
""")


async def tell_bots(
    connection: AsyncConnection, type_: str, message: str, *, severity: Severity, account: str | None = None
) -> None:
    """Write an event of all enabled bots, or of those that trade by certain keys."""
    values = {"type": type_, "severity": severity, "message": clean(message), "account": account}
    await connection.execute(_TELL, values)
