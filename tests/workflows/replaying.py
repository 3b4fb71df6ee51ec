"""Replays recorded histories under today's code, and reads from the replay what replay itself does not compare."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.workflow import ActivityHandle

from models.contracts.step import Step
from runtime.replaying import Asked, Watching, replayer
from runtime.sandbox import sandbox
from workflows.anchoring import AnchoringWorkflow
from workflows.case import APART
from workflows.claim import ClaimWorkflow
from workflows.hazard import HazardWorkflow
from workflows.mailroom import MailroomWorkflow
from workflows.policy import PolicyWorkflow
from workflows.reconciling import ReconcilingWorkflow

ROOM = Path(__file__).resolve().parent
HISTORIES, GOLDEN = ROOM / "histories", ROOM / "golden"
KINDS: dict[str, type[Any]] = {
    "policy": PolicyWorkflow,
    "hazard": HazardWorkflow,
    "claim": ClaimWorkflow,
    "mailroom": MailroomWorkflow,
    "reconciling": ReconcilingWorkflow,
    "anchoring": AnchoringWorkflow,
}
"""How the file of a history begins, and what it is a history of: a replay loads no other."""


@dataclass
class Seen:
    """What a workflow asked of the world while it was replayed."""

    steps: dict[int, Step] = field(default_factory=dict)
    asked: set[tuple[str, str, str, int]] = field(default_factory=set)

    def note(self, asked: Asked, _: ActivityHandle[Any]) -> None:
        """The limits of an activity, and the step it was to commit."""
        tries = asked.retry_policy.maximum_attempts if asked.retry_policy else 0
        limits = str(asked.start_to_close_timeout), str(asked.schedule_to_close_timeout)
        self.asked.add((asked.activity, *limits, tries))
        if asked.args and isinstance(asked.args[0], Step):
            self.steps[asked.args[0].seq] = asked.args[0]


def read(path: Path) -> WorkflowHistory:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    return WorkflowHistory.from_json(recorded.pop("workflow_id"), recorded)


_replayed: dict[Path, Seen] = {}


async def replayed(path: Path) -> Seen:
    """Replays one history, once; raises where today's code would not do what was done then."""
    if path not in _replayed:
        _replayed[path] = await _replay(path)
    return _replayed[path]


async def _replay(path: Path) -> Seen:
    seen = Seen()
    kind = KINDS[path.stem.partition("-")[0]]
    await replayer(sandbox(), pydantic_data_converter, Watching(seen.note), [kind]).replay_workflow(read(path))
    return seen


async def golden(path: Path) -> dict[str, Any]:
    """Due dates, notices with recipients and keys, alarms and the limits of activities, as today's code gives them."""
    seen = await replayed(path)
    return {
        "asked": [list(row) for row in sorted(seen.asked)],
        "steps": [_told(step) for _, step in sorted(seen.steps.items())],
    }


def timers(path: Path) -> list[datetime]:
    """When each timer of the history was to fire; those that only give a run's end a task of its own are left out."""
    ends: list[datetime] = []
    for event in read(path).events:
        started = event.timer_started_event_attributes
        lasts = started.start_to_fire_timeout.ToTimedelta()
        if started.timer_id and lasts > APART:
            ends.append(event.event_time.ToDatetime(UTC) + lasts)
    return ends


def _told(step: Step) -> dict[str, Any]:
    return {
        "seq": step.seq,
        "command": step.trace.name if step.trace else None,
        "stage": step.row.stage,
        "happened": [[line.event, line.duty_key, line.at.isoformat(timespec="seconds")] for line in step.happened],
        "due": {duty["key"]: duty["effective"] for duty in step.row.view["duties"]},
        "alarm": step.row.next_alarm_at.isoformat() if step.row.next_alarm_at else None,
        "told": [
            [notice.key, notice.kind, notice.urgency, [name for _, name in notice.departments]]
            for notice in step.notices
        ],
    }
