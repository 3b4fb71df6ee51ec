"""One order, one instruction, one payment: whatever the core system answers, and however often the worker tries."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.cashier import PgCashier
from activities.payment_channels import (
    Answer,
    Channel,
    FolderChannel,
    HttpChannel,
    Message,
    NotSent,
    is_signed,
    signature,
)
from activities.reconciling import Reconciler
from models.contracts.payment import Answered, OrderOutcome, PaymentLine
from models.contracts.vocabulary import LossHead, OrderResult, PayeeKind
from models.tables.engine import make_engine
from models.tables.sealed import FieldKeys, FieldOf, new_key
from runtime.core_system import CoreSystem, Manner
from runtime.embedded.guest import Guest
from runtime.embedded.ports import LOOPBACK, free_ports
from runtime.settings import sqlalchemy_url
from tests.activities.claims import claim, claims, order
from tests.conftest import Database
from tests.runtime.waiting import until
from tests.tables.rows import A, known

SECRET = b"0123456789abcdef-of-the-core-system"
KEYS = FieldKeys.parse(f"k1:{new_key()}")
PAID = ("confirmed", "accepted")
SILENCE = 2.0  # seconds; enough for a busy machine to carry an order to a server in the same process
SPEECH = 30.0  # seconds; less than `a_minute_passes`, after which nobody may be sending any more


@pytest.fixture
async def core() -> AsyncIterator[tuple[CoreSystem, str]]:
    """The stand-in on a port of its own."""
    system, (port,) = CoreSystem(SECRET), free_ports(1)
    server = Guest(uvicorn.Config(system.app(), host=LOOPBACK, port=port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield system, f"http://{LOOPBACK}:{port}"
    server.should_exit = server.force_exit = True
    await task


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    await claims(database, "C-1", "C-2")
    engine = make_engine(sqlalchemy_url(database.app), pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
def cashier(engine: AsyncEngine, core: tuple[CoreSystem, str]) -> PgCashier:
    return PgCashier(engine, lambda _: core_channel(core), KEYS)


def core_channel(core: tuple[CoreSystem, str]) -> HttpChannel:
    """Whoever answers at all is waited for; of the silent no more is heard once they have the order."""
    silent = core[0].manner in (Manner.NEVER, Manner.LATE)
    return HttpChannel(core[1], SECRET, answer_within=SILENCE if silent else SPEECH)


async def rows(database: Database, query: str) -> list[dict[str, Any]]:
    admin = await asyncpg.connect(database.admin)
    try:
        return [dict(row) for row in await admin.fetch(query)]
    finally:
        await admin.close()


async def a_minute_passes(database: Database) -> None:
    """For whoever was sending an order."""
    admin = await asyncpg.connect(database.admin)
    await admin.execute("UPDATE payment_orders SET sent_at = sent_at - interval '1 minute'")
    await admin.close()


async def test_an_order_sent_ten_times_at_once_and_again_later_is_paid_once_and_answered_alike(
    cashier: PgCashier, core: tuple[CoreSystem, str], database: Database
):
    order_ = order("Z-2")
    outcomes = await asyncio.gather(*(cashier.instruct_payment(order_) for _ in range(10)))
    again = await cashier.instruct_payment(order_)
    assert again.result is OrderResult.CONFIRMED
    assert [paid.asked for paid in core[0].payments.values()] == [1]
    assert {outcome.reference for outcome in outcomes if outcome.result is OrderResult.CONFIRMED} == {again.reference}
    (stored,) = await rows(database, "SELECT * FROM payment_orders WHERE number = 'Z-2'")
    assert (stored["state"], stored["bank_reference"], stored["amount"]) == (
        "confirmed", again.reference, Decimal("88.50"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("manner", "code"),
    [
        (Manner.NEVER, "ReadTimeout"),
        (Manner.LATE, "ReadTimeout"),
        (Manner.BROKEN, "http-500"),
        (Manner.LOST, "http-503"),
        (Manner.WRONG, "contradicts-order"),
        (Manner.GARBLED, "unreadable"),
    ],
)
async def test_what_is_not_answered_clearly_is_unknown_and_never_sent_again(
    cashier: PgCashier, core: tuple[CoreSystem, str], manner: Manner, code: str
):
    core[0].manner = manner
    first = await cashier.instruct_payment(order("Z-2"))
    core[0].manner = Manner.PROMPT
    again = await cashier.instruct_payment(order("Z-2"))
    assert first.result is again.result is OrderResult.UNKNOWN
    assert first.code == again.code
    assert code in {first.code, "ReadTimeout"} or first.code == "TimeoutError"
    assert sum(paid.asked for paid in core[0].payments.values()) == (0 if manner is Manner.LOST else 1)


async def test_a_refusal_is_an_answer_with_its_code(cashier: PgCashier, core: tuple[CoreSystem, str]):
    core[0].manner = Manner.REFUSE
    refused = await cashier.instruct_payment(order("Z-2"))
    assert (refused.result, refused.code, core[0].payments) == (OrderResult.REFUSED, "account-closed", {})


async def test_while_nobody_answers_at_all_nothing_was_sent_and_trying_again_pays_once(
    engine: AsyncEngine, cashier: PgCashier, core: tuple[CoreSystem, str], database: Database
):
    nowhere = PgCashier(engine, lambda _: HttpChannel("http://127.0.0.1:9", SECRET), KEYS)
    for _ in range(2):
        with pytest.raises(ApplicationError) as away:
            await nowhere.instruct_payment(order("Z-2"))
        assert (away.value.type, away.value.non_retryable) == ("core_system_away", False)
    assert (await cashier.instruct_payment(order("Z-2"))).result is OrderResult.CONFIRMED
    assert len(core[0].payments) == 1


@pytest.mark.parametrize("reached", [True, False])
async def test_after_a_death_between_sending_and_writing_down_the_core_system_is_asked_first(
    cashier: PgCashier, core: tuple[CoreSystem, str], database: Database, reached: bool
):
    order_ = order("Z-2")
    turn = await cashier._written(order_, HttpChannel(core[1], SECRET))
    assert turn.stored.state == "written"
    assert turn.message is not None
    if reached:
        await HttpChannel(core[1], SECRET).send(turn.message)
    await a_minute_passes(database)
    outcome = await cashier.instruct_payment(order_)  # the next attempt, after the worker died here
    assert outcome.result is OrderResult.CONFIRMED
    assert [paid.asked for paid in core[0].payments.values()] == [1]
    answers = await rows(database, "SELECT source FROM payment_answers WHERE order_key LIKE '%:Z-2'")
    assert [row["source"] for row in answers] == (["asked"] if reached else ["instructed"])


@dataclass
class Slow:
    """A core system that books what it was sent only when told to, and says so then."""

    ends: Answer | NotSent
    name: str = "slow"
    answer_within: float = 10.0
    sent: int = 0
    booked: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Message) -> Answer:
        self.sent += 1
        await self.booked.wait()
        if isinstance(self.ends, NotSent):
            raise self.ends
        return self.ends

    async def ask(self, key: str) -> Answer | None:
        return self.ends if self.booked.is_set() and isinstance(self.ends, Answer) else None

    async def statement(self) -> list[Answer]:
        return []


async def test_a_second_worker_sends_nothing_while_the_first_may_still_be_sending(engine: AsyncEngine):
    order_ = order("Z-2")
    slow = Slow(Answer(key=order_.key, result=OrderResult.CONFIRMED, reference="BANK-1"))
    cashier = PgCashier(engine, lambda _: slow, KEYS)
    first = asyncio.create_task(cashier.instruct_payment(order_))
    await until(lambda: slow.sent == 1)
    second = asyncio.create_task(cashier.instruct_payment(order_))
    await asyncio.wait({second}, timeout=0.3)
    slow.booked.set()
    assert (await first).reference == (await second).reference == "BANK-1"
    assert slow.sent == 1


@pytest.mark.parametrize(
    "late", [NotSent("away"), Answer(key=order("Z-2").key, result=OrderResult.UNKNOWN)], ids=["not-sent", "unknown"]
)
async def test_a_worker_that_was_overtaken_changes_nothing_of_what_the_next_one_was_told(
    engine: AsyncEngine, cashier: PgCashier, core: tuple[CoreSystem, str], database: Database, late: Answer | NotSent
):
    slow = Slow(late)
    first = asyncio.create_task(PgCashier(engine, lambda _: slow, KEYS).instruct_payment(order("Z-2")))
    await until(lambda: slow.sent == 1)
    await a_minute_passes(database)
    core[0].manner = Manner.ACCEPT
    assert (await cashier.instruct_payment(order("Z-2"))).result is OrderResult.ACCEPTED
    slow.booked.set()
    await asyncio.gather(first, return_exceptions=True)
    (stored,) = await rows(database, "SELECT state, attempt FROM payment_orders WHERE number = 'Z-2'")
    assert (stored["state"], stored["attempt"]) == ("accepted", 2)


async def test_a_worker_that_stood_still_before_sending_sends_nothing(engine: AsyncEngine, database: Database):
    slow = Slow(NotSent("never asked"))
    with pytest.raises(ApplicationError):
        await PgCashier(engine, lambda _: slow, KEYS, margin=-1).instruct_payment(order("Z-2"))
    (stored,) = await rows(database, "SELECT state FROM payment_orders WHERE number = 'Z-2'")
    assert (slow.sent, stored["state"]) == (0, "written")


async def test_a_number_is_never_used_for_another_claim_amount_or_payee(
    cashier: PgCashier, core: tuple[CoreSystem, str]
):
    await cashier.instruct_payment(order("Z-2"))
    others = (
        order("Z-2", "88.51"),
        order("Z-2", of_claim="C-2"),
        order("Z-2", payee_ref=known(A, "desk")),
        order("Z-2", lines=(PaymentLine(head=LossHead.MEDICAL, amount=Decimal("88.50")),)),
    )
    for other in others:
        answer = await cashier.instruct_payment(other)
        assert (answer.result, answer.code) == (OrderResult.REFUSED, "number-used")
    assert len(core[0].payments) == 1


async def test_a_victims_account_is_opened_for_the_order_alone_and_that_is_on_record(
    cashier: PgCashier, core: tuple[CoreSystem, str], engine: AsyncEngine, database: Database
):
    ref = known(A, "somebody")
    known_of = {"name": "王某某", "bank_account": "6222021234567890123", "identity_number": "341302198001011234"}
    sealed = {name: KEYS.seal(value, FieldOf(A, ref, name)) for name, value in known_of.items()}
    admin = await asyncpg.connect(database.admin)
    await admin.execute(
        "INSERT INTO victims (id, insurer_id, case_id, ref, employee, name, bank_account, identity_number)"
        " VALUES ($1, $2, $3, $1, true, $4, $5, $6)",
        ref, A, claim("C-1"), sealed["name"], sealed["bank_account"], sealed["identity_number"],
    )  # fmt: skip
    await admin.close()
    to_victim = order("Z-2", payee_kind=PayeeKind.VICTIM, payee_ref=ref)
    assert (await cashier.instruct_payment(to_victim)).result is OrderResult.CONFIRMED
    sent = json.dumps(core[0].payments[to_victim.key].body, ensure_ascii=False)
    assert "王某某" in sent
    assert "6222021234567890123" in sent
    assert "341302198001011234" not in sent
    stored = await rows(database, "SELECT to_jsonb(o)::text AS whole FROM payment_orders o")
    assert not any("6222" in row["whole"] or "王" in row["whole"] for row in stored)
    (sight,) = await rows(database, f"SELECT * FROM victim_sights WHERE ref = '{ref}'")
    assert (sight["actor_id"], sight["fields"]) == ("cashier", "name,bank_account")


async def test_without_an_account_to_pay_to_nothing_is_sent(cashier: PgCashier, core: tuple[CoreSystem, str]):
    for ref in (known(A, "nobody"), known(A, "victim")):
        number = f"Z-{ref.hex[:4]}"
        answer = await cashier.instruct_payment(order(number, payee_kind=PayeeKind.VICTIM, payee_ref=ref))
        assert (answer.result, answer.code) == (OrderResult.REFUSED, "no-payee")
    assert core[0].payments == {}


async def test_a_later_answer_is_kept_once_and_what_is_confirmed_stays_confirmed(
    cashier: PgCashier, core: tuple[CoreSystem, str], database: Database
):
    core[0].manner, order_ = Manner.ACCEPT, order("Z-2")
    assert (await cashier.instruct_payment(order_)).result is OrderResult.ACCEPTED
    told = OrderOutcome(key=order_.key, payment_number="Z-2", result=OrderResult.CONFIRMED, reference="BANK-1")
    for _ in range(2):
        await cashier.record_answer(Answered(order=order_, outcome=told))
    refused = told.model_copy(update={"result": OrderResult.REFUSED, "reference": ""})
    await cashier.record_answer(Answered(order=order_, outcome=refused))
    (stored,) = await rows(database, "SELECT * FROM payment_orders WHERE number = 'Z-2'")
    assert (stored["state"], stored["bank_reference"]) == ("confirmed", "BANK-1")
    answers = await rows(database, "SELECT * FROM payment_answers WHERE order_key LIKE '%:Z-2' ORDER BY at")
    assert [row["outcome"] for row in answers] == ["accepted", "confirmed", "refused"]


async def test_one_transfer_that_is_said_to_settle_two_payments_waits_for_a_person(
    engine: AsyncEngine, cashier: PgCashier, core: tuple[CoreSystem, str], database: Database, temporal: Client
):
    """Of two claims neither sees the other's payment; the books of the day do."""
    core[0].manner = Manner.ACCEPT
    for number, reference in (("Z-2", "BANK-1"), ("Z-3", "BANK-1"), ("Z-4", "BANK-2")):
        order_ = order(number)
        await cashier.instruct_payment(order_)
        told = OrderOutcome(key=order_.key, payment_number=number, result=OrderResult.CONFIRMED, reference=reference)
        await cashier.record_answer(Answered(order=order_, outcome=told))
    reconciler = Reconciler(engine, temporal, lambda _: core_channel(core))
    for _ in range(2):
        report = await reconciler.run()
        assert [(one.order_key[-3:], one.note[-3:]) for one in report.one_reference] == [("Z-2", "Z-3"), ("Z-3", "Z-2")]
        assert not report.agrees
    waiting = await rows(database, "SELECT said FROM tasks WHERE said LIKE '%BANK-1%' AND done_at IS NULL")
    assert len(waiting) == 2


async def test_an_order_that_was_not_signed_with_the_secret_is_not_paid(
    engine: AsyncEngine, core: tuple[CoreSystem, str]
):
    forged = PgCashier(engine, lambda _: HttpChannel(core[1], b"another secret of thirty-two bytes!"), KEYS)
    refused = await forged.instruct_payment(order("Z-2"))
    assert (refused.result, refused.code, core[0].payments) == (OrderResult.REFUSED, "bad-signature", {})


def test_a_signature_is_of_one_body_at_one_time():
    now = datetime.now(UTC)
    stamp = str(int(now.timestamp()))
    signed = signature(SECRET, stamp, b"body")
    assert is_signed(SECRET, stamp, b"body", signed, now)
    old = str(int(now.timestamp()) - 301)
    cases = (
        (stamp, b"body", "v1=\u00e9"),
        (stamp, b"bodY", signed),
        (old, b"body", signature(SECRET, old, b"body")),
        ("", b"body", signed),
    )
    assert not any(is_signed(SECRET, when, body, given, now) for when, body, given in cases)


async def test_in_a_folder_an_order_is_one_signed_file_and_its_answer_another(engine: AsyncEngine, tmp_path: Path):
    channel: Channel = FolderChannel(tmp_path, SECRET)
    cashier, order_ = PgCashier(engine, lambda _: channel, KEYS), order("Z-2")
    outcomes = await asyncio.gather(*(cashier.instruct_payment(order_) for _ in range(5)))
    assert {outcome.result for outcome in outcomes} == {OrderResult.ACCEPTED}
    (file,) = (tmp_path / "orders").iterdir()
    whole = json.loads(file.read_text())
    assert whole["signature"] == signature(SECRET, whole["timestamp"], whole["body"].encode())
    assert json.loads(whole["body"])["amount"] == "88.50"
    assert file.stat().st_mode & 0o077 == 0
    (tmp_path / "answers").mkdir()
    body = Answer(key=order_.key, result=OrderResult.CONFIRMED, reference="BANK-1").model_dump_json()
    answer = {"timestamp": "1", "signature": signature(SECRET, "1", body.encode()), "body": body}
    (tmp_path / "answers" / file.name).write_text(json.dumps(answer | {"body": body.replace("BANK-1", "BANK-2")}))
    heard = await channel.ask(order_.key)
    assert heard is not None
    assert heard.result is OrderResult.ACCEPTED  # forged: no answer
    (tmp_path / "answers" / file.name).write_text(json.dumps(answer))
    heard = await channel.ask(order_.key)
    assert heard is not None
    assert (heard.result, heard.reference) == (OrderResult.CONFIRMED, "BANK-1")
    assert await channel.ask("a:C-1:other") is None
