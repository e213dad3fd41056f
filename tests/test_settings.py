"""Settings of the environment, and the page that says what they are."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import Settings, wrong_settings

PAGE = Path(__file__).resolve().parents[1] / "docs/settings.md"


def test_the_page_has_every_setting_with_its_default_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    fields = {f"STEADYHAND_{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    assert rows == [(name, shown(default)) for name, default in fields.items()]


def test_a_log_level_may_be_written_in_small_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_LOG_LEVEL", "warning")
    assert Settings().log_level == "WARNING"


def test_all_settings_that_make_no_sense_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_LOG_LEVEL", "loud")
    monkeypatch.setenv("STEADYHAND_HEALTH_PORT", "70000")
    with pytest.raises(ValidationError) as refused:
        Settings()
    level, port = wrong_settings(refused.value).split("; STEADYHAND_")
    assert level.startswith("STEADYHAND_LOG_LEVEL: Input should be 'DEBUG', 'INFO', ")
    assert port == "HEALTH_PORT: Input should be less than or equal to 65535; was '70000'"


def shown(default: object) -> str:
    """Return a default as the page writes it."""
    match default:
        case None:
            return "–"
        case bool():
            return f"`{str(default).lower()}`"
        case Path():
            return f"`~/{default.relative_to(Path.home())}`"
        case _:
            return f"`{default}`"
