"""Nothing is left dangling: every event is brought about, every notice told, every update given by somebody."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from typer import Context
from typer.main import get_group

from api.claims.doors import DOORS as CLAIM_DOORS
from api.department.doors import DOORS as DEPARTMENT_DOORS
from api.insurer.doors import DOORS as INSURER_DOORS
from models.contracts.vocabulary import CaseKind, Event, NoticeKind
from rules.library import Library
from runtime.cli import COMMANDS, app
from runtime.settings import PROJECT_ROOT
from workflows.claim import ClaimWorkflow
from workflows.hazard import HazardWorkflow
from workflows.policy import PolicyWorkflow

PACKS = [loaded.pack for loaded in Library().known()]
DUTIES = [duty for pack in PACKS for duty in pack.duties]
DOORS = (*INSURER_DOORS, *CLAIM_DOORS, *DEPARTMENT_DOORS)
WORKFLOWS = (
    (CaseKind.POLICY, PolicyWorkflow),
    (CaseKind.HAZARD, HazardWorkflow),
    (CaseKind.CLAIM, ClaimWorkflow),
)
BY_THE_ENGINE = {"opened"}
"""Updates given by the opening itself."""


def sources(*folders: str) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted((PROJECT_ROOT / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")


def brought_about() -> set[Event]:
    """Events that the decisions put on record, by name, and those that packs let happen when a term runs out."""
    named: set[Event] = set()
    for path, source in sources("domain"):
        if path.name in ("rehearsal.py", "retelling.py", "transitions.py"):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Event":
                named.add(Event[node.attr])
    return named | {duty.overdue_event for duty in DUTIES if duty.overdue_event}


def test_every_event_a_pack_waits_for_is_brought_about_somewhere() -> None:
    waited_for = {event for duty in DUTIES for event in (*duty.anchor, *duty.met_by)}
    waited_for |= {event for pack in PACKS for gate in pack.gates for event in (gate.before, gate.needs)}
    assert waited_for - brought_about() == set()


def test_every_event_happens() -> None:
    assert set(Event) - brought_about() == set()


def test_every_kind_of_notice_is_told_by_a_rung_or_a_decision() -> None:
    rungs = {rung.notice for duty in DUTIES for rung in duty.ladder}
    decided = {
        NoticeKind[word] for _, source in sources("domain") for word in re.findall(r"NoticeKind\.([A-Z_]+)", source)
    }
    assert set(NoticeKind) - rungs - decided == set()


def updates() -> set[tuple[CaseKind, str]]:
    found: set[tuple[CaseKind, str]] = set()
    for kind, workflow in WORKFLOWS:
        definition = getattr(workflow, "__temporal_workflow_definition")
        found |= {(kind, update) for update in definition.updates if update and update not in BY_THE_ENGINE}
    return found


def given() -> set[tuple[CaseKind, str]]:
    """Updates that a door of the API, a page or a command of the console gives."""
    doors = {(door.kind, door.update) for door in DOORS}
    texts = [source for _, source in sources("api/portal", "api/claims", "api/operator", "runtime")]
    named = {one for one in updates() if any(f'"{one[1]}"' in text for text in texts)}
    return doors | named


def test_every_update_of_a_case_can_be_given_by_somebody() -> None:
    assert updates() - given() == set()


def test_every_door_leads_to_an_update() -> None:
    assert {(door.kind, door.update) for door in DOORS} <= updates()


def test_every_command_line_the_console_promises_is_there() -> None:
    console = get_group(app)
    named = console.list_commands(Context(console))
    assert [name for name in named if console.get_command(Context(console), name) is None] == []
    assert set(COMMANDS) <= set(named)


def test_a_command_loads_nothing_that_only_others_need() -> None:
    asked = "import sys; from typer.testing import CliRunner; from runtime.cli import app"
    fresh = [sys.executable, "-c", f"{asked}; CliRunner().invoke(app, ['version']); print(*sys.modules)"]
    loaded = subprocess.run(fresh, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) & {"alembic", "fastapi", "openpyxl", "uvicorn"} == set()
