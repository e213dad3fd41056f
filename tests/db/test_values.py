import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from db.values import clean, from_ms, to_json


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1_772_366_400_001, datetime(2026, 3, 1, 12, 0, 0, 1000, tzinfo=UTC)),
        (253_402_300_799_999, datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    ],
)
def test_milliseconds_become_times_exactly(moment: int, expected: datetime) -> None:
    assert from_ms(moment) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"a": Decimal("0.10")}, {"a": "0.10"}, id="decimal"),
        pytest.param({"a": datetime(2026, 3, 1, tzinfo=UTC)}, {"a": "2026-03-01T00:00:00Z"}, id="time"),
        pytest.param({"a": float("inf"), "b": [float("nan"), 1.5]}, {"a": None, "b": [None, 1.5]}, id="not-finite"),
        pytest.param({"a\0": "b\0"}, {"a\ufffd": "b\ufffd"}, id="nul"),
        pytest.param(["\ud83d", "\U0001f600"], ["?", "\U0001f600"], id="surrogates"),
        pytest.param({"a": (1, True, None)}, {"a": [1, True, None]}, id="others-stay"),
    ],
)
def test_json_is_what_postgres_takes(value: Any, expected: Any) -> None:
    assert json.loads(to_json(value)) == expected


def test_clean_text_stays_as_it_is() -> None:
    assert clean("Köln – 100 % ✓") == "Köln – 100 % ✓"
