import pytest

from cli.up_view import readable


@pytest.mark.parametrize(
    ("record", "text"),
    [
        pytest.param(
            {
                "level": "info",
                "logger": "notifications",
                "event": "BTC: position opened",
                "bot": "rsi",
                "kind": "opened",
                "text": "bought 1 BTC",
                "at": "2026-01-01T00:00:00Z",
            },
            "[rsi] bought 1 BTC",
            id="a-message-to-people",
        ),
        pytest.param(
            {"level": "info", "logger": "activities.fleet", "event": "bot started", "bot_id": "rsi"},
            "[rsi] bot started",
            id="a-bot-that-is-started",
        ),
        pytest.param(
            {"level": "warning", "logger": "worker", "event": "rows not read", "reason": "away", "seconds": 1.0},
            "rows not read reason=away seconds=1.0",
            id="a-warning-with-its-values",
        ),
        pytest.param(
            {
                "level": "warning",
                "logger": "temporalio.activity",
                "temporal_activity": {},
                "event": "Completing activity as failed ({'activity_id': '4', 'workflow_id': 'bot-rsi', 'attempt': 1})",
                "exception": "Traceback (most recent call last):\n  File x\nVenueUnavailable: no answer",
            },
            "[rsi] Completing activity as failed VenueUnavailable: no answer",
            id="the-sdk's-own-with-the-last-line-of-its-traceback",
        ),
    ],
)
def test_what_a_person_needs_now_is_one_line(record: dict[str, object], text: str) -> None:
    shown = readable(record)
    assert shown is not None
    assert shown[0] == text


@pytest.mark.parametrize("logger", ["worker", "temporalio.worker", "market.feed"])
def test_what_is_only_for_the_file_is_not_shown(logger: str) -> None:
    assert readable({"level": "info", "logger": logger, "event": "anything"}) is None


def test_a_long_record_is_cut() -> None:
    shown = readable({"level": "error", "logger": "x", "event": "word " * 1000})
    assert shown is not None
    assert len(shown[0]) <= 400
