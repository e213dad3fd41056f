"""The page of settings says what the settings are."""

import re
from pathlib import Path

from settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs/settings.md"


def test_the_page_has_every_setting_with_its_default_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    fields = {f"STEADYHAND_{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    assert rows == [(name, shown(default)) for name, default in fields.items()]


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
