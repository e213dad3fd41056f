"""The log of `up` itself: what the stack reports of its work goes to a file beside those of its children."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_STACK = "embedded"
# The terminal shows the life of children already, as events.
_SHOWN_ALREADY = "embedded.supervisor"


class _Shown(logging.Handler):
    """Hands warnings to the terminal."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != _SHOWN_ALREADY:
            self._show(record.getMessage())


@contextmanager
def stack_log(data_dir: Path, show: Callable[[str], None]) -> Iterator[None]:
    """Keep the stack's log in `logs/up.log` of its data directory; its warnings are shown too."""
    # Opened with its first record: then the stack has made the folder.
    file = logging.FileHandler(data_dir.expanduser() / "logs/up.log", encoding="utf-8", delay=True)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logger, handlers = logging.getLogger(_STACK), (file, _Shown(show))
    logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
