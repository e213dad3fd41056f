"""Values on their way into the database: JSON and text as PostgreSQL takes them, and times from milliseconds."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import to_json as _pydantic_json
from pydantic_core import to_jsonable_python

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_ms(moment: int) -> datetime:
    """Return a moment in milliseconds UTC as a time, exactly."""
    return _EPOCH + timedelta(milliseconds=moment)


def to_json(value: Any) -> str:
    """Return a JSON document; Decimals and times as text."""
    return _pydantic_json(clean(to_jsonable_python(value, inf_nan_mode="constants"))).decode()


def clean(value: Any) -> Any:
    """Return `value` with what PostgreSQL cannot hold replaced, all the way down.

    Texts come from strategies and venues. One NUL or half a surrogate pair in an error message would be refused for
    ever, and with it the batch of the journal; so would a number that is not finite, which becomes null.
    """
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode(errors="replace").decode()
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {clean(key): clean(item) for key, item in value.items()}
        case list() | tuple():
            return [clean(item) for item in value]
        case _:
            return value
