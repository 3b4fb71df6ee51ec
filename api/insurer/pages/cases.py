"""The pages of one policy, hazard or claim: the shared case file, with what the insurer can do next."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from api import reads
from api.desk.audience import Reader
from api.desk.casefile import read_case
from api.desk.frame import Visit
from api.desk.hands import in_hand
from api.desk.ways_back import WaysBack, list_of
from api.desk.words import translator
from api.doors import SHELVES
from api.insurer.pages.acts import DOORS, acts_of
from api.insurer.pages.choices import known_victims, situation_of
from api.insurer.pages.signing import signers
from api.insurer.pages.visits import Reading, may_act
from models.contracts.vocabulary import ActorKind, CaseKind, PaymentStatus

router = APIRouter(prefix="/insurer", include_in_schema=False)


ROOM = "/insurer"
LISTS = {kind: f"{ROOM}/{shelf}" for kind, (shelf, _) in SHELVES.items()}
FROM = frozenset({ROOM, f"{ROOM}/due", f"{ROOM}/spending", *LISTS.values()})
WAYS = {kind: WaysBack(home, FROM) for kind, home in LISTS.items()}
"""A case whose address does not say where one came from leads to the list of its kind."""


def case_address(kind: CaseKind, case_id: UUID, onward: str = "") -> str:
    """Where a case lies; `onward` is the list one came from."""
    return f"{LISTS[kind]}/{case_id}{WAYS[kind].trail(onward or LISTS[kind])}"


@router.get("/policies/{case_id:uuid}")
async def policy(visit: Reading, case_id: UUID, why: str = "", whole: bool = False, done: str = "") -> Response:
    return await _page(visit, CaseKind.POLICY, case_id, why=why, whole=whole, done=done)


@router.get("/hazards/{case_id:uuid}")
async def hazard(visit: Reading, case_id: UUID, why: str = "", whole: bool = False, done: str = "") -> Response:
    return await _page(visit, CaseKind.HAZARD, case_id, why=why, whole=whole, done=done)


@router.get("/claims/{case_id:uuid}")
async def claim(visit: Reading, case_id: UUID, why: str = "", whole: bool = False, done: str = "") -> Response:
    return await _page(visit, CaseKind.CLAIM, case_id, why=why, whole=whole, done=done)


async def _page(visit: Visit, kind: CaseKind, case_id: UUID, *, why: str, whole: bool, done: str) -> Response:
    """The case file; `done` names the act that was just carried out, and is confirmed on top."""
    row = await reads.case_row(visit.entry, case_id, kind)
    situation = await situation_of(visit.entry, row)
    onward = WAYS[kind].of(visit.request)
    reader = Reader(ActorKind.INSURER, partial(case_address, onward=onward), translator(visit.language))
    acts = acts_of(situation, visit.caller.posts)
    people = await known_victims(visit.request, visit.entry, row) if kind is CaseKind.CLAIM else []
    return visit.page(
        "insurer/case.html.j2",
        c=await read_case(visit.entry, row, reader, why=why, whole=whole),
        why=why,
        done=DOORS.get((kind, done)),
        opened=done == "open",
        hand=await in_hand(visit.entry, row),
        handed=done == "hand",
        first=[act for act in acts if act.next][:2],
        others=[act for act in acts if not act.next] + [act for act in acts if act.next][2:],
        language=visit.language,
        acts=may_act(visit.caller),
        address=case_address(kind, case_id),
        onward=onward,
        came_from=list_of(onward),
        keep=WAYS[kind].kept(onward),
        victims=people,
        signers=await signers(visit.entry, row.view),
        proposed=situation.payments(PaymentStatus.PROPOSED),
    )
