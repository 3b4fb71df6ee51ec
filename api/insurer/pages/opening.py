"""New cases by form: a policy with the rules that will apply to it, and a claim under a policy."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError

from api import reads
from api.claims.opening import opened_claim
from api.desk.acting import Misfilled
from api.desk.did import back_after
from api.desk.filters import PLACES
from api.desk.forms import Form, read, wants_rows
from api.desk.frame import Visit, posted, visited
from api.idempotency import Attempt, stored_answer
from api.insurer.opening import Opening, opened_policy
from api.insurer.pages.cases import WAYS, case_address
from api.insurer.pages.rules_ahead import ahead
from api.insurer.pages.visits import Reading
from api.limits import spelled
from api.problems import MAY_COME_BACK, Problem
from api.shapes import PolicyApplication
from domain.places import NAMES, code_of, region_name
from models.contracts.claim import ReportClaim
from models.contracts.vocabulary import CaseKind

RULES = "_rules"
"""The button that shows which rules apply, where no script does it."""
router = APIRouter(prefix="/insurer", include_in_schema=False)


@dataclass(frozen=True)
class Started:
    """A form that was sent, inside its transaction: what it makes, and under which key."""

    visit: Visit
    body: Mapping[str, Any]
    once: str
    path: str
    """The address of the API the same body could have been sent to: a repeat there is known as a repeat."""

    @property
    def attempt(self) -> Attempt:
        written = b"\n".join((b"POST", self.path.encode(), spelled(self.body).encode()))
        return Attempt(f"{self.visit.caller.user_id}:form:{self.once}", sha256(written).hexdigest())

    async def opening(self, transaction: AsyncExitStack) -> Opening:
        stored = await stored_answer(self.visit.entry, self.visit.caller.tenant, self.attempt)
        return Opening(self.visit.entry, self.attempt, transaction, stored)


def checked(contract: type[BaseModel], body: Mapping[str, Any]) -> Any:
    """The value a body makes. Raises Misfilled with the contract's own reasons by field."""
    try:
        return contract.model_validate_json(spelled(body))
    except ValidationError as error:
        raise Misfilled.of(error) from error


@router.get("/new")
async def new_policy(visit: Reading) -> Response:
    """An empty application."""
    return _policy_page(visit, Form(PolicyApplication, visit.language))


@router.get("/new/rules")
async def rules(visit: Reading) -> Response:
    """The rules for what is filled in so far, as a part of the page."""
    asked = visit.request.query_params
    names = ("region", "sector", "size", "kind", "signed_at", "effective_on", "expires_on")
    terms: dict[str, Any] = {name: asked.get(f"terms.{name}", "") for name in names}
    terms["out_of_area"] = "terms.out_of_area" in asked
    return visit.page("insurer/ahead.html.j2", ahead=ahead(visit.entry.tools, _placed(terms)))


@router.post("/new")
async def open_new(request: Request) -> Response:
    """Open the policy, as the API does; or the form again with what is wrong beside it."""
    async with posted(request) as form, AsyncExitStack() as transaction:
        visit = await transaction.enter_async_context(visited(request))
        body = read(PolicyApplication, form, {})
        body["terms"] = _placed(body.get("terms", {}))
        sheet = Form(PolicyApplication, visit.language, body)
        if wants_rows(form) or RULES in form:
            return _policy_page(visit, sheet)
        started = Started(visit, body, str(form.get("_once") or ""), "/v1/policies")
        try:
            application: PolicyApplication = checked(PolicyApplication, body)
            view, _ = await opened_policy(await started.opening(transaction), application)
        except Misfilled as wrong:
            return _policy_page(visit, sheet.wrong(wrong.errors), 422)
        except Problem as problem:
            return _policy_page(visit, sheet, problem.status, problem, started.once)
    return back_after("open", case_address(CaseKind.POLICY, view.id))


def _placed(terms: Mapping[str, Any]) -> dict[str, Any]:
    """A place may be written by its name."""
    region = str(terms.get("region") or "")
    placed = {"region": code_of(region)} if region else {}
    signed = str(terms.get("signed_at") or "")
    offset = {"signed_at": f"{signed}+08:00"} if len(signed) == len("2026-01-31T09:30") else {}
    return {**terms, **placed, **offset}


def _policy_page(
    visit: Visit, sheet: Form, status: int = 200, problem: Problem | None = None, once: str = ""
) -> Response:
    """The application with the rules that will apply; the place is shown by its name."""
    terms = dict(sheet.body.get("terms", {}))
    seen = ahead(visit.entry.tools, terms)
    if terms.get("region") in NAMES:
        terms["region"] = region_name(terms["region"])
    kept = {"once": once} if problem and problem.code in MAY_COME_BACK else {}
    return visit.page("insurer/new.html.j2", status, sheet=_with(sheet, terms), ahead=seen, places=PLACES,
                      problem=problem, **kept)  # fmt: skip


def _with(sheet: Form, terms: Mapping[str, Any]) -> Form:
    return Form(sheet.contract, sheet.language, {**sheet.body, "terms": terms}, sheet.errors)


@router.get("/policies/{policy_id:uuid}/claims/new")
async def new_claim(visit: Reading, policy_id: UUID) -> Response:
    """An empty report of an accident under this policy."""
    row = await reads.case_row(visit.entry, policy_id, CaseKind.POLICY)
    return _claim_page(visit, row, Form(ReportClaim, visit.language))


@router.post("/policies/{policy_id:uuid}/claims/new")
async def open_claim(request: Request, policy_id: UUID) -> Response:
    """Open the claim, as the API does; or the form again."""
    onward = WAYS[CaseKind.CLAIM].of(request)
    async with posted(request) as form, AsyncExitStack() as transaction:
        visit = await transaction.enter_async_context(visited(request))
        row = await reads.case_row(visit.entry, policy_id, CaseKind.POLICY)
        body = read(ReportClaim, form, {})
        sheet = Form(ReportClaim, visit.language, body)
        started = Started(visit, body, str(form.get("_once") or ""), f"/v1/policies/{policy_id}/claims")
        try:
            command: ReportClaim = checked(ReportClaim, body)
            view, _ = await opened_claim(await started.opening(transaction), policy_id, command)
        except Misfilled as wrong:
            return _claim_page(visit, row, sheet.wrong(wrong.errors), 422)
        except Problem as problem:
            return _claim_page(visit, row, sheet, problem.status, problem, started.once)
    return back_after("open", case_address(CaseKind.CLAIM, view.id, onward))


def _claim_page(
    visit: Visit, row: Any, sheet: Form, status: int = 200, problem: Problem | None = None, once: str = ""
) -> Response:
    kept = {"once": once} if problem and problem.code in MAY_COME_BACK else {}
    address = case_address(CaseKind.POLICY, row.id, WAYS[CaseKind.POLICY].of(visit.request))
    return visit.page("insurer/report.html.j2", status, sheet=sheet, row=row, back=address, problem=problem, **kept)
