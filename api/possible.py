"""Which problem codes each operation of the API may answer with; refusals of cases stand in refusals.yaml."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from api.words import ProblemCode, Scope

LISTED = Path(__file__).with_name("refusals.yaml")
"""Operation → refusal → status; written by `anze docs write` from the checks of the domain."""
FILES, VICTIMS = "file_keep", "victim_enter"
OF_PINNED_RULES = frozenset({"policy_duties", "hazard_duties", "claim_duties", "claim_explanation"})
"""What reads a case by the very files it is pinned to."""
NEVER = frozenset({ProblemCode.IN_PROGRESS, ProblemCode.FORM_FOREIGN, ProblemCode.NOT_ONESELF})
"""Codes of pages, and one that is kept though nobody is answered with it any more."""


@dataclass(frozen=True)
class Called:
    """One operation as its description has it, as far as its problems depend on it."""

    name: str
    path: str
    method: str
    takes_json: bool
    pages: bool
    """Reads on from a place an earlier answer gave."""
    scope: Scope | None

    @classmethod
    def of(cls, path: str, method: str, operation: Mapping[str, Any], scope: Scope | None) -> "Called":
        given = {parameter["name"] for parameter in operation.get("parameters", ())}
        taken = operation.get("requestBody", {}).get("content", {})
        pages = bool(given & {"cursor", "after"})
        return cls(operation["operationId"], path, method, "application/json" in taken, pages, scope)

    @property
    def writes(self) -> bool:
        return self.method in {"post", "put"}

    @property
    def commands(self) -> bool:
        """Gives a command to a case, or opens one."""
        return self.method == "post" and self.name not in {FILES, VICTIMS}


POSSIBLE: dict[ProblemCode, Callable[[Called], bool]] = {
    ProblemCode.NOT_JSON: lambda one: one.takes_json,
    ProblemCode.DUPLICATE_KEY: lambda one: one.takes_json,
    ProblemCode.TOO_DEEP: lambda one: one.takes_json,
    ProblemCode.IDEMPOTENCY_KEY_MISSING: lambda one: one.method == "post",
    ProblemCode.SCOPE_MISSING: lambda one: one.scope is not None or one.name == "victims",
    ProblemCode.CASE_CLOSED: lambda one: one.commands,
    ProblemCode.CONFLICT: lambda one: one.writes,
    ProblemCode.TOO_LARGE: lambda one: one.writes,
    ProblemCode.UNSUPPORTED_MEDIA: lambda one: one.writes,
    ProblemCode.KEY_REUSED: lambda one: one.commands or one.name == VICTIMS,
    ProblemCode.UNKNOWN_VICTIM: lambda one: one.commands and one.path.startswith("/v1/claims/"),
    ProblemCode.UNKNOWN_FILE: lambda one: one.commands,
    ProblemCode.VICTIM_KNOWN: lambda one: one.name == VICTIMS,
    ProblemCode.BAD_CURSOR: lambda one: one.pages,
    ProblemCode.FILE_REFUSED: lambda one: one.name == FILES,
    ProblemCode.OUTCOME_UNKNOWN: lambda one: one.writes,
    ProblemCode.RULES_MISSING: lambda one: one.name in OF_PINNED_RULES,
}
"""Where a code is not possible everywhere."""
OF_EVERY_COMMAND = {"not_open": 409, "ledger_differs": 409, "case_full": 422}
"""What any case may refuse, whatever it is told to do."""


def codes(called: Called, status: int) -> list[str]:
    """Every code an operation may answer a status with: those of the request first, then those of the case."""
    own = [code for code in ProblemCode if code.status == status and code not in NEVER]
    found = [code.value for code in own if POSSIBLE.get(code, _always)(called)]
    listed = refusals().get(called.name, {}) | (OF_EVERY_COMMAND if called.commands else {})
    return found + [code for code in sorted(listed) if listed[code] == status and code not in found]


@cache
def refusals() -> dict[str, dict[str, int]]:
    """What a case may refuse, by operation, with the status of each."""
    return yaml.safe_load(LISTED.read_text(encoding="utf-8"))


def _always(called: Called) -> bool:
    return True
