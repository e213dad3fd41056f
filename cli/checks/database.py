"""The database: does it answer, are its tables those of this code, and does it take what is written?"""

from cli.checks.check import Check, fail, ok
from cli.target import Target
from db.engine import make_engine, place_of
from db.migrate import current, heads, try_to_write
from domain.errors import StoreUnavailable


async def check_database(target: Target) -> Check:
    """Judge the database of a target."""
    name, newest = "database", ", ".join(heads())
    try:
        place = place_of(make_engine(target.database_url).url)
        revision = await current(target.database_url)
    except ValueError as error:
        return fail(name, str(error), "correct STEADYHAND_DATABASE_URL")
    except StoreUnavailable as error:
        return fail(name, str(error), "start it, or correct STEADYHAND_DATABASE_URL")
    if revision == newest:
        return await _writable(target, f"{place}, tables at {revision}, the newest")
    found = f"{place}, tables at {revision}" if revision else f"{place}, no tables"
    return fail(name, f"{found}; this code needs {newest}", "run `python starter.py migrate`")


async def _writable(target: Target, found: str) -> Check:
    try:
        await try_to_write(target.database_url)
    except StoreUnavailable as error:
        return fail(
            "database", str(error), "free its disk, or let it write again; until then the journals of bots wait"
        )
    return ok("database", found)
