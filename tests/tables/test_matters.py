"""Matters stand as a naive model says, whatever steps, moved letters and acknowledgements came before."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.ledger import PgLedger
from models.contracts.ids import HUMAN_QUEUE, notice_id
from models.contracts.notice import About
from models.contracts.step import Step
from models.contracts.vocabulary import CaseKind, NoticeKind, Role
from models.tables import matters
from models.tables.engine import make_engine, recipient
from runtime.settings import sqlalchemy_url
from tests.activities.steps import AT, HUASHAN, SUZHOU, department, notice, register, step
from tests.conftest import Database
from tests.tables.rows import A, known

OFFICES = {HUASHAN: known(A, "district"), SUZHOU: known(A, "city")}
HOLDERS = (*OFFICES.values(), HUMAN_QUEUE)
DUTIES = ("policy_upload", "service_completion", "major_hazard_report", "department_answer")
NEWS = (NoticeKind.POLICY_SURRENDERED, NoticeKind.POLICY_LAPSED)
DAY = timedelta(days=1)
ROUNDS = 60


@dataclass
class Letter:
    """What the model remembers of one letter."""

    id: UUID
    case: UUID
    seq: int
    at: datetime
    subject: str
    news: bool
    holder: UUID
    read: bool = False


@dataclass
class Known:
    """A case in the model: its open duties, what its met reports live on in, and how far it is."""

    id: UUID
    kind: CaseKind
    seq: int = 0
    at: datetime = AT
    open: dict[str, datetime | None] = field(default_factory=dict)
    lives_on: dict[str, str] = field(default_factory=dict)
    ended: bool = False


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    await register(database, *(department(name, place) for name, place in (("district", HUASHAN), ("city", SUZHOU))))
    engine = make_engine(sqlalchemy_url(database.app), pool_size=2)
    yield engine
    await engine.dispose()


class Model:
    """Cases and letters as plain lists; every act is carried out on the database and remembered here."""

    def __init__(self, engine: AsyncEngine, chance: Random) -> None:
        self.engine, self.chance, self.ledger = engine, chance, PgLedger(engine)
        self.cases = [Known(known(A, f"case {kind}"), kind) for kind in (*CaseKind, CaseKind.HAZARD)]
        self.cases[-1].id = known(A, "another")
        self.letters: list[Letter] = []

    async def take_a_step(self) -> None:
        """Duties open, are met, move or are suspended; some letters go out; now and then the case ends or reopens."""
        case, chance = self.chance.choice(self.cases), self.chance
        case.seq, case.at = case.seq + 1, case.at + chance.choice((timedelta(), DAY, 9 * DAY))
        dates = [None, *(case.at + days * DAY for days in (-3, 1, 20))]
        case.open = {key: chance.choice(dates) for key in DUTIES if chance.random() < 0.5}
        report = "major_hazard_report" not in case.open and "department_answer" in case.open
        case.lives_on = {"major_hazard_report": "department_answer"} if report else {}
        case.ended = chance.random() < 0.15
        told = [self._letter(case, number) for number in range(chance.choice((0, 0, 1, 2, 4)))]
        await self.ledger.commit_step(self._step(case, [one for one, _ in told]))
        self.letters += [letter for _, letter in told]

    def _letter(self, case: Known, number: int) -> tuple[Any, Letter]:
        to, key = self.chance.choice([*OFFICES, None]), f"{case.id}:{case.seq}:{number}"
        kind, duty = self.chance.choice(NEWS), self.chance.choice((*DUTIES, ""))
        at = case.at + number * timedelta(minutes=1)
        more = {"about": About(duty_key=duty), "at": at, "kind": NoticeKind.DUTY_OVERDUE if duty else kind}
        written = notice(key, Role.EMERGENCY, departments=(to,) if to else (), **more)
        holder = OFFICES[to] if to else HUMAN_QUEUE
        return written, Letter(notice_id(key), case.id, case.seq, at, duty or kind.value, not duty, holder)

    def _step(self, case: Known, notices: list[Any]) -> Step:
        duties = [{"key": key, "due_at": due.isoformat() if due else None} for key, due in case.open.items()]
        row = {"case_id": case.id, "kind": case.kind, "number": str(case.id), "workflow_id": str(case.id)}
        row |= {"view": {"duties": duties, "grade": "major"}, "lives_on": case.lives_on}
        taken = step(case.seq, *notices, ended_at=case.at if case.ended else None, **row)
        return taken.model_copy(update={"at": case.at})

    async def move_some(self) -> None:
        """A mail was refused, or an operator hands letters on: some letters of one holder go to another."""
        old, new = self.chance.sample(HOLDERS, 2)
        going = [one for one in self.letters if one.holder == old and self.chance.random() < 0.4]
        ids = [one.id for one in going]
        async with self.engine.begin() as connection:
            await recipient(connection, (old, new))
            await matters.lock(connection, ids)
            await connection.execute(
                text("UPDATE outbox SET recipient_id = :new WHERE id = ANY (:ids)"), {"new": new, "ids": ids}
            )
            await matters.moved(connection, ids, (old, new))
        for one in going:
            one.holder = new

    async def read_some(self) -> None:
        """One letter behind its link, or all about one matter on its page."""
        if not self.letters:
            return
        first, alone = self.chance.choice(self.letters), self.chance.random() < 0.4
        about = (first.case, first.subject, first.holder)
        read = [one for one in self.letters if (one.case, one.subject, one.holder) == about and not one.read]
        read = [one for one in read if one is first] if alone else read
        ids = [one.id for one in read]
        async with self.engine.begin() as connection:
            await recipient(connection, first.holder)
            await connection.execute(
                text("UPDATE outbox SET acknowledged_at = :at WHERE id = ANY (:ids)"), {"at": AT, "ids": ids}
            )
            await matters.heard(connection, ids, AT)
        for one in read:
            one.read = True

    def expected(self) -> dict[tuple[UUID, str, UUID], dict[str, Any]]:
        about = {(one.case, one.subject, one.holder) for one in self.letters}
        return {key: self._standing(*key) for key in about}

    def _standing(self, case_id: UUID, subject: str, holder: UUID) -> dict[str, Any]:
        case = next(one for one in self.cases if one.id == case_id)
        mine = [one for one in self.letters if (one.case, one.subject, one.holder) == (case_id, subject, holder)]
        last = max(mine, key=lambda one: (one.seq, one.at))
        duty = case.lives_on.get(subject, subject)
        asks = not case.ended and (last.news or duty in case.open)
        settled = not asks or (last.news and last.read)
        due = case.open[duty] if asks and not last.news else None
        return {
            "letter_id": last.id,
            "times": len(mine),
            "read": last.read,
            "duty_key": duty if asks and not last.news else "",
            "settled": settled,
            "due_at": due,
            "late": due is not None and due <= case.at,
            "major": case.kind is CaseKind.HAZARD,
        }

    async def found(self, connection: AsyncConnection) -> dict[tuple[UUID, str, UUID], dict[str, Any]]:
        """As the database has it; what a settled matter was due by is nobody's concern any more."""
        await recipient(connection, HOLDERS)
        rows = await connection.execute(text("SELECT *, acknowledged_at IS NOT NULL AS read FROM matters"))
        return {
            (row["case_id"], row["subject"], row["recipient_id"]): {
                name: row[name] for name in ("letter_id", "times", "read", "duty_key", "settled", "major")
            }
            | {"due_at": row["due_at"] if row["duty_key"] else None, "late": bool(row["duty_key"]) and row["late"]}
            for row in rows.mappings()
        }


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_kept_is_what_letters_and_cases_say(engine: AsyncEngine, seed: int) -> None:
    model = Model(engine, Random(seed))
    for number in range(ROUNDS):
        acts = (model.take_a_step, model.take_a_step, model.move_some, model.read_some)
        await model.chance.choice(acts)()
        async with engine.begin() as connection:
            assert await model.found(connection) == model.expected(), number
    assert len(model.letters) > ROUNDS / 3


async def test_an_inbox_is_in_the_order_of_days_and_settled_matters_come_last(engine: AsyncEngine) -> None:
    model = Model(engine, Random(9))
    for _ in range(ROUNDS // 2):
        await model.take_a_step()
    told = {one.id: one.at for one in model.letters}
    async with engine.begin() as connection:
        await recipient(connection, HOLDERS)
        rows = (await connection.execute(text("SELECT * FROM matters ORDER BY place_at, letter_id"))).all()

    def place(row: Any) -> Any:
        due = None if row.settled else row.due_at
        return (row.settled, due is None, due.timestamp() if due else -told[row.letter_id].timestamp())

    assert [place(row) for row in rows] == sorted(place(row) for row in rows)
    assert {True, False} == {row.settled for row in rows}
