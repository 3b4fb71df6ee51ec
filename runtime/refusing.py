"""Which refusals each operation of the API may meet, read off the checks of the domain; nothing is decided here."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from activities import treasury
from api.claims.doors import DOORS as CLAIM_DOORS
from api.department.doors import DOORS as DEPARTMENT_DOORS
from api.insurer.doors import DOORS as INSURER_DOORS
from domain.claim import refusals as of_claims
from domain.hazard import refusals as of_hazards
from domain.policy import refusals as of_policies
from domain.policy.transitions import NEEDS
from models.contracts.claim import ApprovePayment, RecordOutcome
from models.contracts.hazard import ConfirmTold
from models.contracts.vocabulary import CaseKind, LimitKind

ROOMS: dict[CaseKind, Any] = {
    CaseKind.POLICY: of_policies,
    CaseKind.HAZARD: of_hazards,
    CaseKind.CLAIM: of_claims,
}
USUAL = 409
TAKEN = {"number_taken": USUAL}
PRODUCERS = ("Refusal", "Reserved")
"""What carries a code: a refusal of a case, or of the limits a payment asks room of."""
HEAD = "# Operation → refusal → status. Written by `anze docs write` from the checks of the domain.\n"


def generated() -> str:
    """api/refusals.yaml (api.possible.LISTED) as it should be."""
    found = {door.name: of(door.kind, door.command) for door in (*INSURER_DOORS, *CLAIM_DOORS, *DEPARTMENT_DOORS)}
    found["policy_open"] = codes(of_policies.refuse_opening) | TAKEN
    found["claim_open"] = codes(of_claims.refuse_opening) | TAKEN
    found["payment_confirm"] = of(CaseKind.CLAIM, RecordOutcome)
    ordered = {name: dict(sorted(found[name].items())) for name in sorted(found)}
    return HEAD + yaml.safe_dump(ordered, sort_keys=False)


def of(kind: CaseKind, command: type[Any]) -> dict[str, int]:
    """Every refusal of one command to one kind of case, with its status."""
    room = ROOMS[kind]
    found = {"case_closed": USUAL} | _in_order(room, command)
    if {"on", "due_on"} & command.model_fields.keys():
        found |= codes(room._date)
    check = room.CHECKS.get(command)
    found |= codes(check) if check else {}
    if command is ApprovePayment:  # room is asked of the limits before the case decides
        found |= codes(treasury.PgTreasury.reserve_payment) | {f"over_{limit.value}": USUAL for limit in LimitKind}
    return found


def _in_order(room: Any, command: type[Any]) -> dict[str, int]:
    event = getattr(room, "EVENT_OF", {}).get(command)
    at_a_stage = command in getattr(room, "OPEN_TO", {})
    told_once = command is ConfirmTold
    found = {
        "gate_closed": event is not None,
        "step_skipped": event in NEEDS,
        "wrong_stage": at_a_stage,
        "already_done": told_once or event in getattr(room, "ONCE", ()),
    }
    return {code: USUAL for code, possible in found.items() if possible}


def codes(function: Callable[..., Any]) -> dict[str, int]:
    """The codes a function, and whatever of the domain it calls, gives refusals, with their status."""
    return dict(one for called in _called(function, set()) for one in _given(called))


def _called(function: Callable[..., Any], seen: set[Any]) -> Iterator[Callable[..., Any]]:
    if function in seen:
        return
    seen.add(function)
    yield function
    known = inspect.unwrap(function).__globals__
    for node in ast.walk(_tree(function)):
        target = None
        if isinstance(node, ast.Name):
            target = known.get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            target = getattr(known.get(node.value.id), node.attr, None)
        if inspect.isfunction(target) and target.__module__.startswith(("domain.", "activities.treasury")):
            yield from _called(target, seen)


def _given(function: Callable[..., Any]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(_tree(function)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PRODUCERS:
            said = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
            if "code" in said:
                yield str(said["code"]), int(str(said.get("status", USUAL)))


def _tree(function: Callable[..., Any]) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))
