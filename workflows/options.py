"""Named time-outs and retry policies of every activity, each with its reason; workflows give no numbers."""

from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy

LEDGER_AT_ONCE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=2),
    "schedule_to_close_timeout": timedelta(seconds=3),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=2),
}
"""A commit inside the workflow task: one try and one more, well inside the caller's 5 s."""

LEDGER: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10)),
}
"""The same commit while the database is away: without limit, a step is never given up."""

RULES_AT_ONCE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=2),
    "schedule_to_close_timeout": timedelta(seconds=3),
    "retry_policy": RetryPolicy(maximum_attempts=2),
}
"""Packs are in the worker's memory."""

RULES: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(maximum_interval=timedelta(seconds=30)),
}
"""A pinned pack may be missing on a worker that is just being deployed: wait for one that has it."""

REGISTRY_AT_ONCE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=1),
    "schedule_to_close_timeout": timedelta(seconds=1),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}
"""Opening a hazard needs another task slot while this task holds its own: soon given up for the patient way."""

REGISTRY: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=300), maximum_interval=timedelta(seconds=30)),
}
"""Opening companions is idempotent by their ids, so it is tried until it works."""

MAILROOM: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=3),
    "heartbeat_timeout": timedelta(seconds=20),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(minutes=1)),
}
"""Looking into the outbox, composing, recording that a mail was given up: tried until done. Seconds on a quiet machine;
on one that does much else a try that still lives is not tried again beside itself."""

SEND: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=15),
    "heartbeat_timeout": timedelta(seconds=20),
    "schedule_to_close_timeout": timedelta(days=3),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=5), backoff_coefficient=2, maximum_interval=timedelta(minutes=10)
    ),
}
"""RFC 5321: ten minutes after the final dot, days of patience. A lost worker is noticed in seconds and its mail
taken up at once, and our own database is asked again within minutes; only a mail server that asks for patience is
given longer pauses, by the postman."""

TREASURY: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
}
"""Short transactions that wait for each other at one row; idempotent by payment number, so tried until done."""

CASHIER: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=45),
    "heartbeat_timeout": timedelta(seconds=6),
    "schedule_to_close_timeout": timedelta(minutes=2),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=20)),
}
"""A core system answers within 10 s or its answer is unknown; only what cannot have been sent is tried again.
A lost worker is noticed by its silence; the next one waits until nothing of it can be on its way (15 s), then asks
the core system (10 s) before it sends anything (10 s)."""

RECONCILING: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=2),
    "heartbeat_timeout": timedelta(minutes=2),
    "retry_policy": RetryPolicy(initial_interval=timedelta(minutes=1), maximum_attempts=10),
}
"""A walk through every order, one question after the other; asking again is harmless, and tomorrow comes anyway."""

ANCHORING: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=1),
    "retry_policy": RetryPolicy(initial_interval=timedelta(minutes=1), maximum_attempts=10),
}
"""A signed file of a few lines; the same day's is never written twice."""

CORE_SYSTEM_AWAY = timedelta(minutes=5)
"""Between the attempts to reach a core system that nobody answers at."""
