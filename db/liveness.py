"""Signs of life: those of all bots of a process in one statement, past every trigger and index."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import transaction
from db.health import StoreHealth
from db.values import clean, from_ms
from domain.ports import Liveness

# A row that somebody holds locked misses this sign and gets the next one: a person's open transaction on one bot must
# not keep the signs of all others from being written, or they would all be taken for dead. A sign older than the last
# one comes from a watch that another one has replaced.
_FLUSH = text("""
    WITH sign AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:seen AS timestamptz[]), CAST(:balances AS numeric[]),
            CAST(:prices AS numeric[]), CAST(:candles AS timestamptz[]), CAST(:degraded AS text[])
        ) AS sign (id, seen_at, balance, price, candle_at, degraded)
    ), free AS (
        SELECT id FROM trading_bots WHERE id = ANY (CAST(:ids AS text[]))
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE trading_bots AS bot SET
        last_heartbeat = sign.seen_at,
        worker = :worker,
        current_balance = coalesce(sign.balance, bot.current_balance),
        last_price = coalesce(sign.price, bot.last_price),
        last_candle_at = coalesce(sign.candle_at, bot.last_candle_at),
        degraded = sign.degraded
    FROM sign JOIN free USING (id)
    WHERE bot.id = sign.id AND (bot.last_heartbeat IS NULL OR bot.last_heartbeat <= sign.seen_at)
""")


class LivenessRepository:
    """Where the signs of life of all bots of a process go."""

    def __init__(self, engine: AsyncEngine, health: StoreHealth | None = None) -> None:
        """Write by an engine; see `JournalRepository`."""
        self._engine = engine
        self._health = health or StoreHealth(engine)

    async def flush(self, worker: str, signs: Sequence[Liveness]) -> None:
        """Write the signs, of each bot the newest. A status is the journal's to write, in order; none is written here.

        A balance, price or candle of None leaves the row's; `degraded` of None says that the bot is well.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        newest = {sign.bot_id: sign for sign in sorted(signs, key=lambda sign: sign.seen_at)}
        if not newest:
            return
        chosen = list(newest.values())
        values = {
            "worker": worker,
            "ids": list(newest),
            "seen": [sign.seen_at for sign in chosen],
            "balances": [sign.balance for sign in chosen],
            "prices": [sign.price for sign in chosen],
            "candles": [None if sign.candle_time is None else from_ms(sign.candle_time) for sign in chosen],
            "degraded": [clean(sign.degraded) for sign in chosen],
        }
        with self._health.writing():
            async with transaction(self._engine) as connection:
                await connection.execute(_FLUSH, values)
