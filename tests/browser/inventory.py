"""Every page there is, who looks at it and at which address; a page that is not here is a failure of the tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi.routing import iter_route_contexts

from api.app import assemble
from api.tools import Budgets, Tools
from domain.calendar import local_date
from runtime.pictures.leading import Story

NO_PAGE = {
    "/openapi.json": "JSON",
    "/health/live": "JSON",
    "/health/ready": "JSON",
    "/version": "JSON",
    "/enter/oidc": "leads to the identity provider",
    "/enter/callback": "leads back from it",
    "/enter/choose": "leads back where nothing is to be chosen; looked at in test_choosing.py",
    "/insurer/new/rules": "a part of a page",
    "/enter/code/check": "leads back where no code was asked for; looked at by the enterprise on its way in",
    "/evidence/{case_id:uuid}/{digest}": "a file",
    "/l/{token}/evidence/{digest}": "a file",
    "/insurer/{shelf}/export.xlsx": "a workbook",
    "/department/export.xlsx": "a workbook",
    "/operator/packs/{short}/adopt.xlsx": "a workbook",
    "/insurer/import/template.xlsx": "a workbook",
    "/insurer/import/{job_id}/result.xlsx": "a workbook",
    "/insurer/import/{job_id}": "looked at in the journey of an import",
}
"""Routes that answer GET with something else than a page."""
DEAD_LINK = "/l/" + "A" * 43
ROOMS = {"/insurer": "admin", "/department": "officer", "/operator": "operator", "/enterprise": "enterprise",
         "/provider": "assessor"}  # fmt: skip
"""Who looks at the pages below; everything else is looked at by a stranger."""


@dataclass(frozen=True)
class Cast:
    """The cases the pages are shown with, and the token of a link in a letter."""

    late: Story
    planned: Story
    visited: Story
    major: Story
    served: Story
    mended: Story
    proposed: Story
    link: str
    returned: str
    """A recipient whose mail came back."""
    unaddressed: str
    """A task: nobody is registered for a notice."""
    book: str
    """A task: a payment to be looked into."""
    mail: str
    department: str
    pack: str
    older: str
    """A document of which there is a newer version, and cases that obey it where there are any."""
    year: int


def addresses(cast: Cast) -> dict[str, tuple[str, ...]]:
    """Where the pages whose address names something are looked at."""
    claim, policy = cast.proposed.claim_id, cast.visited.policy_id
    payment = f"/insurer/claims/{claim}/payments/FK-{cast.proposed.number}"
    return {
        "/problems/{code}": ("/problems/forbidden",),
        "/l/{token}": (cast.link, DEAD_LINK),
        "/department/cases/{case_id}": tuple(
            f"/department/cases/{one}" for one in (policy, cast.visited.hazard_id, cast.late.policy_id)
        ),
        "/insurer/policies/{case_id:uuid}": tuple(
            f"/insurer/policies/{one.policy_id}" for one in (cast.late, cast.visited, cast.proposed)
        ),
        "/insurer/hazards/{case_id:uuid}": tuple(
            f"/insurer/hazards/{one.hazard_id}" for one in (cast.mended, cast.major)
        ),
        "/insurer/claims/{case_id:uuid}": (f"/insurer/claims/{claim}",),
        "/insurer/claims/{claim_id:uuid}/victims": (f"/insurer/claims/{claim}/victims",),
        "/insurer/policies/{policy_id:uuid}/claims/new": (f"/insurer/policies/{policy}/claims/new",),
        "/insurer/{shelf}/{case_id:uuid}/{update}": (
            f"/insurer/policies/{policy}/record_visit",
            f"/insurer/hazards/{cast.mended.hazard_id}/recheck",
            f"/insurer/claims/{claim}/approve_payment",
        ),
        "/insurer/claims/{claim_id:uuid}/payments/{number}": (payment,),
        "/operator/returned/{recipient_id}": (f"/operator/returned/{cast.returned}",),
        "/operator/unaddressed/{task_id}": (f"/operator/unaddressed/{cast.unaddressed}",),
        "/operator/books/{task_id}": (f"/operator/books/{cast.book}",),
        "/operator/mails/{mail_id}": (f"/operator/mails/{cast.mail}",),
        "/operator/directory/{recipient_id}": (f"/operator/directory/{cast.department}",),
        "/operator/directory/{recipient_id}/cover": (f"/operator/directory/{cast.department}/cover",),
        "/operator/calendars/{year}": (f"/operator/calendars/{cast.year}",),
        "/operator/packs/{short}": (f"/operator/packs/{cast.pack}",),
        "/operator/packs/{short}/adopt": (f"/operator/packs/{cast.older}/adopt",),
        "/operator/cases/{case_id}": (
            f"/operator/cases/{policy}",
            f"/operator/cases/{cast.major.hazard_id}",
            f"/operator/cases/{claim}",
        ),
        "/provider/policies/{case_id:uuid}": tuple(
            f"/provider/policies/{one.policy_id}" for one in (cast.planned, cast.visited, cast.served)
        ),
        "/provider/policies/{case_id:uuid}/visit": (f"/provider/policies/{policy}/visit",),
        "/provider/policies/{case_id:uuid}/report": (f"/provider/policies/{policy}/report",),
        "/provider/hazards/{case_id:uuid}": (f"/provider/hazards/{cast.visited.hazard_id}",),
        "/enterprise/hazards/{case_id:uuid}": (f"/enterprise/hazards/{cast.visited.hazard_id}",),
        "/enterprise/policies/{case_id:uuid}": (f"/enterprise/policies/{policy}",),
        "/enterprise/policies/{case_id:uuid}/plan": (f"/enterprise/policies/{policy}/plan",),
        "/enterprise/policies/{case_id:uuid}/visits/{number}": (f"/enterprise/policies/{policy}/visits/V-001",),
    }


def routes() -> set[str]:
    """Paths of all routes that answer GET with a page."""

    def nothing(app: object) -> Tools:
        raise NotImplementedError

    app = assemble(nothing, Budgets(), local_date(datetime.now(UTC)))  # pyright: ignore[reportArgumentType]
    known = ((route.path or "", route.methods or ()) for route in iter_route_contexts(app.routes))
    return {path for path, methods in known if "GET" in methods and not path.startswith("/v1") and path not in NO_PAGE}


def visits(cast: Cast, who: str) -> Iterator[str]:
    """Addresses this person looks at."""
    named = addresses(cast)
    for path in sorted(routes()):
        if looks_at(path) == who:
            yield from named.get(path, () if "{" in path else (path,))


def looks_at(path: str) -> str:
    """Who looks at a page."""
    return next((who for room, who in ROOMS.items() if path == room or path.startswith(room + "/")), "stranger")
