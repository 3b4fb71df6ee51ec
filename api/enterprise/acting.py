"""What an enterprise may do in its room, and to which of its own cases; how a form is carried out is on the desk."""

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import Row
from starlette.datastructures import FormData

from api.desk.deeds import Deed, Topic
from api.desk.filling import Filling
from api.desk.frame import Visit, posted
from api.desk.posting import Wish, carried_out
from api.enterprise.reading import own_case
from api.problems import Problem
from api.words import ProblemCode
from models.contracts.vocabulary import CaseKind

CASES_OF: dict[Deed, CaseKind] = {
    Deed.CONFIRM_TOLD: CaseKind.HAZARD,
    Deed.CLAIM_RECTIFICATION: CaseKind.HAZARD,
    Deed.OBJECT: CaseKind.HAZARD,
    Deed.ASK_MORE_TIME: CaseKind.HAZARD,
    Deed.CONFIRM_PLAN: CaseKind.POLICY,
    Deed.RATE_SERVICE: CaseKind.POLICY,
}
"""What an enterprise may do in its room, and to which kind of case."""


async def act(request: Request, case_id: UUID, kind: CaseKind, visit: str = "") -> Deed | Filling:
    """Carry out the posted form, once; a form to be mended is given back. Raises Problem."""
    async with posted(request) as form:
        deed = _deed(form, kind)
        wish = Wish(deed, case_id, Topic(visit=visit), partial(_opened, case_id=case_id, kind=kind))
        return await carried_out(request, form, wish) or deed


def _deed(form: FormData, kind: CaseKind) -> Deed:
    asked = str(form.get("deed") or "")
    if asked not in set(Deed) or CASES_OF.get(Deed(asked)) is not kind:
        raise Problem(ProblemCode.BAD_REQUEST)
    return Deed(asked)


async def _opened(visit: Visit, case_id: UUID, kind: CaseKind) -> Row[Any]:
    return await own_case(visit.entry, case_id, kind)
