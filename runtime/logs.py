"""What a process says about itself: structured lines with allow-listed fields, no personal data, no forged lines."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from runtime.settings import Settings

Event = MutableMapping[str, Any]

# What may stand beside the sentence. Names, addresses, amounts, free text of people and tokens are not in it: a field
# added in a hurry is dropped and its name is shown, instead of a person's data being kept for years.
ALLOWED = frozenset({
    "event", "level", "logger", "timestamp", "process", "where", "dropped",
    "case", "clause", "duty", "event_kind", "command_id", "notice", "pack", "region", "seq", "workflow", "activity",
    "run", "attempt", "recipient_id", "mail_id", "caller_id", "trace_id", "method", "route", "status", "code",
    "duration_ms", "count", "port", "part", "version",
})  # fmt: skip
TRACE_DEPTH = 12  # innermost frames that are shown


def configure(settings: Settings, process: str) -> None:
    """Set up structlog and the standard library's logging alike; call once, first thing in a process."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    detailed = settings.log_level == "debug"
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _say_where(detailed),
        only_allowed,
        one_line,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(as_json)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    _quieten()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


def only_allowed(logger: object, method: str, event: Event) -> Event:
    """Keep allow-listed fields; of the others keep only the names."""
    kept = {key: value for key, value in event.items() if key in ALLOWED or key.startswith("_")}
    dropped = sorted(key for key in event if key not in kept)
    return {**kept, "dropped": dropped} if dropped else kept


def one_line(logger: object, method: str, event: Event) -> Event:
    """Line ends and other control characters inside values become visible escapes: nobody writes a second line."""
    return {key: _escaped(value) if isinstance(value, str) else value for key, value in event.items()}


def _escaped(text: str) -> str:
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _say_where(detailed: bool) -> Any:
    def say_where(logger: object, method: str, event: Event) -> Event:
        """An exception becomes its type and place. Its text may quote a person's data, so only `debug` shows it."""
        failure = _failure(event.pop("exc_info", None))
        if failure is None:
            return event
        frames = traceback.extract_tb(failure.__traceback__)[-TRACE_DEPTH:]
        places = " < ".join(f"{frame.name}:{frame.lineno} {frame.filename}" for frame in reversed(frames))
        text = f"{type(failure).__name__}({failure})" if detailed else type(failure).__name__
        return {**event, "where": f"{text} @ {places}"}

    return say_where


def _failure(found: object) -> BaseException | None:
    if isinstance(found, BaseException):
        return found
    if isinstance(found, tuple):
        return found[1]
    return sys.exc_info()[1] if found else None


def _renderer(as_json: bool) -> Any:
    if as_json:
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)


def _quieten() -> None:
    """Libraries that report every call, or whose lines carry addresses with link tokens."""
    for name in ("httpx", "alembic", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn.access", "mail.log"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
