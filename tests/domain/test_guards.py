"""What the risk limits remember, across midnight and back."""

from decimal import Decimal

from domain.guards import Guards
from tests.domain.builders import DAY, dec

NIGHT = 19_000 * DAY


def test_entries_and_results_count_for_their_utc_day() -> None:
    guards = Guards().after_entry(NIGHT - 2).after_exit(NIGHT - 1, dec("-3.5")).after_entry(NIGHT - 1)
    assert (guards.day, guards.entries, guards.realized, guards.last_exit) == (18_999, 2, dec("-3.5"), NIGHT - 1)


def test_midnight_starts_the_counts_anew_and_keeps_the_last_exit() -> None:
    guards = Guards().after_entry(NIGHT - 1).after_exit(NIGHT - 1, dec(-1)).on_day(NIGHT)
    assert (guards.day, guards.entries, guards.realized, guards.last_exit) == (19_000, 0, dec(0), NIGHT - 1)


def test_a_trade_over_midnight_counts_for_the_day_of_its_exit() -> None:
    guards = Guards().after_entry(NIGHT - 1).after_exit(NIGHT + 1, dec(2))
    assert (guards.day, guards.entries, guards.realized) == (19_000, 0, dec(2))


def test_a_clock_that_steps_back_over_midnight_forgets_nothing() -> None:
    guards = Guards().after_entry(NIGHT).after_exit(NIGHT + 5, dec(-7))
    back = guards.on_day(NIGHT - 1)
    assert (back.day, back.entries, back.realized) == (19_000, 1, dec(-7))
    assert back.after_entry(NIGHT - 1).entries == 2


def test_an_alert_belongs_to_the_day_of_the_counts() -> None:
    guards = Guards().after_entry(NIGHT)
    assert guards.after_alert(NIGHT - 1).alerted_day == guards.on_day(NIGHT - 1).day == 19_000
    assert guards.after_alert(NIGHT + DAY).alerted_day == 19_001


def test_a_day_of_many_small_results_loses_none() -> None:
    guards = Guards()
    step, large = Decimal("0.000000000000000001"), Decimal(10**11)
    for amount in (large, step, step, -large):
        guards = guards.after_exit(NIGHT, amount)
    assert guards.realized == 2 * step
