"""Every operation of the description, asked with what fits it and with what does not: never 5xx, never a lie."""

import asyncio
from contextlib import nullcontext, suppress
from typing import Any
from uuid import uuid4

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from api.authorization import PLACE, Visitor, load
from tests.authorization.test_cross_product import kind_of
from tests.authorization.world import World
from tests.hostile.conftest import Served
from tests.hostile.wandering import ROOMS

EXAMPLES = 2
"""Of each operation that fit its description, and as many that do not; `make fuzz` takes as many as time allows."""
STRANGERS = ("plain_key", "department_key", "operator_key", "anonymous")
KEYS = ("insurer_key", *STRANGERS)
"""Everybody who comes with a key, with one that may do least, or with none."""
SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example)
SEVERAL = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=SLOW,
)
load_all_checks()
TRUTHFUL = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "allow_header_conformance",
    ]
)
REFUSING = [*TRUTHFUL, *CHECKS.get_by_names(["negative_data_rejection"])]


def operations(world: World) -> list[APIOperation]:
    found = schemathesis.openapi.from_dict(world.app.openapi()).get_all_operations()
    return [one.ok() for one in found if isinstance(one, Ok)]


def of_ours(drawn: Any, ids: dict[str, str]) -> Any:
    """What was drawn, with files and people there are in place of invented ones."""
    if isinstance(drawn, list):
        return [of_ours(one, ids) for one in drawn]
    if not isinstance(drawn, dict):
        return drawn
    known = {"digest": ids["digest"], "person": ids["victim"], "ref": ids["victim"]}
    return {name: known[name] if part and name in known else of_ours(part, ids) for name, part in drawn.items()}


class Asker:
    """Asks what was drawn, as several roles, and keeps what was answered wrongly."""

    def __init__(self, served: Served) -> None:
        self.served, self.session, self.wrong = served, requests.Session(), list[str]()
        self.session.trust_env = False
        self.ids = served.world.holdings["own"].ids

    def ask(self, case: Case, role: str, checks: list[Any]) -> None:
        bearer = self.served.world.actors[role].bearer
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        answer = case.call(base_url=self.served.url, session=self.session, headers=headers)
        try:
            case.validate_response(answer, checks=checks, headers=headers)
        except FailureGroup as group:
            named = f"{role} {case.operation.label}: {answer.status_code} {answer.text[:300]}"
            self.wrong += [f"{named}\n{one}\n{case.as_curl_command()[:1000]}" for one in group.exceptions]

    def fitting(self, operation: APIOperation) -> None:
        """What the description allows, at objects there are, with files and people there are, once for each."""
        places = {
            name: self.ids[kind] for name in PLACE.findall(operation.path) if (kind := kind_of(name, operation.path))
        }

        @SEVERAL
        @given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), st.sampled_from(STRANGERS))
        def ask(case: Case, stranger: str) -> None:
            case.path_parameters = {**(case.path_parameters or {}), **places}
            case.body = of_ours(case.body, self.ids)
            if case.headers and "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = uuid4().hex
            self.ask(case, "insurer_key", TRUTHFUL)
            self.ask(case, stranger, TRUTHFUL)

        ask()

    def unfitting(self, operation: APIOperation) -> None:
        """What the description forbids."""
        takes_nothing = not (operation.body or operation.query or operation.path_parameters or operation.headers)

        @SEVERAL
        @given(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), st.sampled_from(STRANGERS))
        def ask(case: Case, stranger: str) -> None:
            self.ask(case, "insurer_key", REFUSING)
            self.ask(case, stranger, TRUTHFUL)

        with suppress(Unsatisfiable) if takes_nothing else nullcontext():
            ask()


async def test_no_operation_breaks_or_lies(served: Served) -> None:
    asker = Asker(served)
    listed = operations(served.world)
    assert len(listed) == sum(len(item) for item in served.world.app.openapi()["paths"].values())
    assert {name for name in load() if " /v1/" in name} <= {one.label for one in listed}, "nothing is left out"
    assert set(Visitor) == {Visitor.ANYBODY, *map(Visitor, ROOMS), *(one for one in Visitor if one.value in KEYS)}
    for one in listed:
        await asyncio.to_thread(asker.fitting, one)
        await asyncio.to_thread(asker.unfitting, one)
    assert not asker.wrong, "\n\n".join(asker.wrong)
