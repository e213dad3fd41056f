"""The database: does it answer, and are its tables those of this code?"""

from cli.checks.check import Check, fail, ok
from cli.target import Target
from db.engine import make_engine, place_of
from db.migrate import current, heads
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
        return ok(name, f"{place}, tables at {revision}, the newest")
    found = f"{place}, tables at {revision}" if revision else f"{place}, no tables"
    return fail(name, f"{found}; this code needs {newest}", "run `python starter.py migrate`")
