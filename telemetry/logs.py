"""Logging: one line an event, JSON for machines or aligned text for people, from structlog and from libraries alike."""

import logging
import sys
from typing import Literal, TypeAlias

import structlog
from structlog.typing import Processor

# Libraries that narrate at INFO what only their authors want to know.
_QUIET = ("aiohttp.access", "alembic", "ccxt", "sqlalchemy.engine")

# What structlog's events and libraries' records both go through.
_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)

Format: TypeAlias = Literal["console", "json"]


def set_up_logging(level: str, format_: Format) -> None:
    """Send every log record of the process to standard error.

    Args:
        level: name of the lowest level that is shown, such as INFO.
    """
    root = logging.getLogger()
    root.handlers[:] = [_handler(format_)]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _handler(format_: Format) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(format_)],
        )
    )
    return handler


def _renderers(format_: Format) -> tuple[Processor, ...]:
    if format_ == "json":
        return structlog.processors.format_exc_info, structlog.processors.JSONRenderer()
    # The default formatter shows the values of local variables, and those may be secrets.
    plain = structlog.dev.plain_traceback
    return (structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),)
