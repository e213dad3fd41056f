"""Names near to one that does not exist, for messages that help."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, count: int = 3) -> str:
    """Return up to `count` known names that resemble `name`, best first, in words; empty if none does.

    Case and punctuation do not count: BTCUSD resembles BTC/USDT.
    """
    by_plain = {plain(each): each for each in known}
    found = [by_plain[match] for match in difflib.get_close_matches(plain(name), by_plain, n=count, cutoff=0.6)]
    return " or ".join(part for part in (", ".join(found[:-1]), *found[-1:]) if part)


def plain(name: str) -> str:
    """Return the letters and digits of a name, in upper case."""
    return "".join(letter for letter in name.upper() if letter.isalnum())
