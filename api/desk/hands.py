"""Who of an organisation has a case in hand: read, given, given back, handed over, each on record; no page, no route.

It says who looks after a case at a desk, and nothing of the case changes by it (docs/decisions/0066).
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Table,
    and_,
    any_,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from starlette.datastructures import FormData

from api.audit import AuditEntry, Origin, note
from api.callers import Caller, Entry
from api.desk.frame import Visit
from api.desk.lists import Asked
from api.problems import Problem, one_field
from api.rows import CASES, HANDS, OFFICE_HANDS, USERS
from api.words import ProblemCode, Reason
from api.written import id_of
from models.contracts.vocabulary import ActorKind, AuditEvent, CaseKind, Post
from models.tables.audit import COMMON_CHAIN

MINE = "mine"
"""How an address asks for what the reader has in hand; anybody else is asked for by id."""
TAKE, GIVE, GIVE_BACK = "take", "give", "back"
MOST_IN_HAND = 5_000
"""Cases, those of years gone by among them: more than one person looks after."""
CHOOSERS = (Post.INSURER_ADMIN, Post.DEPARTMENT_OFFICER)
"""Who is offered the lists of colleagues one by one; a department has no administrator, its officers are equal."""


@dataclass(frozen=True)
class Desk:
    """The visitor's organisation: where its hands are kept, and whose they may be."""

    kind: ActorKind
    hands: Table
    organisation: str
    """The column that says whose a hand and a user are."""
    id: UUID
    chain: UUID
    posts: tuple[Post, ...]

    @classmethod
    def of(cls, caller: Caller) -> "Desk":
        """Raises Problem 403 for who is neither of an insurer nor of a department."""
        if caller.kind is ActorKind.DEPARTMENT and caller.recipient_id:
            officers = (Post.DEPARTMENT_OFFICER,)
            return cls(caller.kind, OFFICE_HANDS, "recipient_id", caller.recipient_id, COMMON_CHAIN, officers)
        acting = (Post.INSURER_ADMIN, Post.INSURER_HANDLER)
        return cls(ActorKind.INSURER, HANDS, "insurer_id", caller.tenant, caller.tenant, acting)

    @property
    def own(self) -> ColumnElement[bool]:
        return self.hands.c[self.organisation] == self.id

    @property
    def members(self) -> ColumnElement[bool]:
        return and_(USERS.c[self.organisation] == self.id, USERS.c.kind == self.kind)

    @property
    def live(self) -> ColumnElement[bool]:
        """Members who may act now; whoever was disabled or lost the post has nothing in hand, whatever is kept."""
        posts = or_(*(literal(post.value) == any_(USERS.c.posts) for post in self.posts))
        return and_(self.members, USERS.c.disabled_at.is_(None), posts)

    def name_at(self, case_id: ColumnElement[UUID]) -> ScalarSelect[str]:
        """Who has a case in hand, as a column of whatever lists cases."""
        found = select(USERS.c.name).join(self.hands, self.hands.c.user_id == USERS.c.id)
        return found.where(self.hands.c.case_id == case_id, self.own, self.live).scalar_subquery()

    async def held(self, entry: Entry, asked: str | None, case_id: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
        """The condition of a list that is asked for what one person has in hand, if it is.

        As many cases as a person has are looked up one by one; of more, the first of a list are sooner met by following
        its order.
        """
        if asked is None:
            return []
        holder = entry.caller.user_id if asked == MINE else UUID(asked)
        if holder is None:
            return [false()]
        theirs = select(self.hands.c.case_id).where(self.own, self.hands.c.user_id == holder)
        first = theirs.limit(MOST_IN_HAND + 1).subquery()
        few = (await entry.connection.execute(select(func.count()).select_from(first))).scalar_one() <= MOST_IN_HAND
        return [case_id == any_(func.array(theirs.scalar_subquery())) if few else case_id.in_(theirs)]


@dataclass(frozen=True)
class Colleague:
    """Somebody of the organisation, told apart by the address where two have one name."""

    id: UUID
    name: str
    live: bool = True


@dataclass(frozen=True)
class InHand:
    """Who has a case in hand as its page shows it, and what the page lets the reader do about it."""

    name: str = ""
    mine: bool = False
    seen: str = ""
    """Whom the page was made with: what is sent from it changes nothing that has changed meanwhile."""
    may: bool = False
    colleagues: tuple[Colleague, ...] = ()


async def in_hand(entry: Entry, case: Row[Any]) -> InHand:
    """Of this case, at the caller's organisation; nobody may change it once the case has ended."""
    desk, me = Desk.of(entry.caller), entry.caller.user_id
    kept = select(desk.hands.c.user_id, desk.name_at(literal(case.id)).label("name"))
    row = (await entry.connection.execute(kept.where(desk.own, desk.hands.c.case_id == case.id))).one_or_none()
    may = case.ended_at is None and me is not None and entry.caller.holds(*desk.posts)
    others = await colleagues(entry, desk.live) if may else ()
    name = (row.name or "") if row else ""
    return InHand(
        name=name,
        mine=bool(name) and row is not None and row.user_id == me,
        seen=str(row.user_id) if row else "",
        may=may,
        colleagues=tuple(one for one in others if one.id != me),
    )


async def holder(entry: Entry, case: Row[Any]) -> str:
    """The name alone; empty where nobody has it in hand."""
    desk = Desk.of(entry.caller)
    return (await entry.connection.execute(select(desk.name_at(literal(case.id))))).scalar_one() or ""


async def colleagues(entry: Entry, which: ColumnElement[bool]) -> tuple[Colleague, ...]:
    """Users of the caller's organisation by name."""
    asked = select(*USERS.c["id", "name", "email"], Desk.of(entry.caller).live.label("live"))
    rows = (await entry.connection.execute(asked.where(which).order_by(USERS.c.name, USERS.c.id))).all()
    often = Counter(row.name for row in rows)
    return tuple(Colleague(row.id, f"{row.name} {row.email}" if often[row.name] > 1 else row.name, row.live)
                 for row in rows)  # fmt: skip


async def choices(entry: Entry) -> tuple[tuple[str, str], ...] | None:
    """Whose cases a list may be asked for besides one's own; nothing for whoever can have none in hand."""
    desk, caller = Desk.of(entry.caller), entry.caller
    if caller.user_id is None or not caller.holds(*desk.posts):
        return None
    others = await colleagues(entry, desk.live) if caller.holds(*CHOOSERS) else ()
    return tuple((str(one.id), one.name) for one in others if one.id != caller.user_id)


async def with_hands(visit: Visit, asked: Asked) -> Asked:
    """The list with whoever has each of its cases in hand, narrowed to one person's where its address asks for that."""
    desk = Desk.of(visit.caller)
    held = await desk.held(visit.entry, asked.filters.hand, CASES.c.id)
    name = desk.name_at(CASES.c.id).label("in_hand")
    offered = await choices(visit.entry)
    return replace(asked, conditions=(*asked.conditions, *held), more=(*asked.more, name), hands=offered)


async def given(visit: Visit, case: Row[Any], form: FormData) -> None:
    """Do with a case what its form asks for, once: taken, given to a colleague, given back; the transaction ends.

    Raises Problem 422 for whom it cannot be given to, 409 where it has ended or somebody else was faster.
    """
    entry, desk = visit.entry, Desk.of(visit.caller)
    to = await _wanted(visit, desk, form)
    if case.ended_at is not None:
        raise Problem(ProblemCode.CASE_CLOSED)
    at = and_(desk.own, desk.hands.c.case_id == case.id)
    before = (await entry.connection.execute(select(desk.hands.c.user_id).where(at).with_for_update())).scalar()
    if to == before:
        return
    if str(form.get("seen") or "") != str(before or ""):
        raise Problem(ProblemCode.CONFLICT)
    if to is None:
        await entry.connection.execute(delete(desk.hands).where(at))
    elif not await _written(visit, desk, case.id, to, first=before is None):
        raise Problem(ProblemCode.CONFLICT)
    said = {"hand": str(to or ""), "hand_before": str(before or "")}
    await _on_record(visit, desk, (case.kind.value, case.workflow_id), said, case.id)


async def _wanted(visit: Visit, desk: Desk, form: FormData) -> UUID | None:
    """Whose it is to be, or nobody's. Raises Problem 422 for what the form does not offer."""
    act = form.get("act")
    if act == GIVE_BACK:
        return None
    if act not in (TAKE, GIVE):
        raise one_field("act", Reason.WORD)
    wanted = visit.caller.user_id if act == TAKE else id_of(form.get("to"))
    return (await somebody(visit.entry, wanted, desk.live, "to")).id


async def somebody(entry: Entry, wanted: UUID | None, which: ColumnElement[bool], field: str) -> Colleague:
    """One of these users. Raises Problem 422 alike for anybody else, of another organisation or nobody at all."""
    found = await colleagues(entry, and_(USERS.c.id == wanted, which)) if wanted else ()
    if not found:
        raise one_field(field, Reason.WORD)
    return found[0]


async def _written(visit: Visit, desk: Desk, case_id: UUID, to: UUID, *, first: bool) -> bool:
    """Whether it was: a hand that another transaction has just given is not taken from it unseen."""
    new = {"user_id": to, "given_by": visit.caller.user_id, "given_at": visit.entry.tools.now()}
    if first:
        row = {"case_id": case_id, desk.organisation: desk.id, **new}
        made = upsert(desk.hands).values(row).on_conflict_do_nothing()
    else:
        made = update(desk.hands).where(desk.own, desk.hands.c.case_id == case_id).values(new)
    return (await visit.entry.connection.execute(made)).rowcount == 1


async def _on_record(
    visit: Visit, desk: Desk, about: tuple[str, str], said: dict[str, Any], case_id: UUID | None = None
) -> None:
    """Users by their numbers: what is in the trail stays there for ever."""
    origin = Origin.of(visit.request)
    entry = AuditEntry(AuditEvent.HANDED, desk.chain, visit.caller.actor, about, case_id, said=said, origin=origin)
    await note(visit.entry.connection, entry)


async def running(entry: Entry, giver: UUID) -> dict[CaseKind, int]:
    """How many cases that have not ended somebody has in hand, by kind."""
    desk = Desk.of(entry.caller)
    counted = select(CASES.c.kind, func.count().label("number")).join(desk.hands, desk.hands.c.case_id == CASES.c.id)
    counted = counted.where(desk.own, desk.hands.c.user_id == giver, CASES.c.ended_at.is_(None))
    rows = await entry.connection.execute(counted.group_by(CASES.c.kind))
    numbers: dict[CaseKind, int] = {row.kind: row.number for row in rows}
    return {kind: numbers[kind] for kind in CaseKind if kind in numbers}


async def hand_over(visit: Visit, giver: UUID, taker: UUID) -> int:
    """All running cases of one user to another, in one statement and on record once; how many. The transaction ends."""
    desk, entry = Desk.of(visit.caller), visit.entry
    new = {"user_id": taker, "given_by": visit.caller.user_id, "given_at": entry.tools.now()}
    open_cases = select(CASES.c.id).where(CASES.c.ended_at.is_(None))
    which = and_(desk.own, desk.hands.c.user_id == giver, desk.hands.c.case_id.in_(open_cases))
    moved = (await entry.connection.execute(update(desk.hands).where(which).values(new))).rowcount
    if moved:
        said = {"hand": str(taker), "hand_before": str(giver), "cases": moved}
        await _on_record(visit, desk, ("user", str(giver)), said)
    return moved
