"""I1 to I10 of promises.md section 3, as questions to PostgreSQL, Temporal, mail catcher, bank and history."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.contracts.ids import mailroom_workflow_id
from models.contracts.vocabulary import CaseKind, ClaimStage, HazardStage, PolicyStage
from runtime.auditing import Verifier
from runtime.core_system import CoreSystem
from runtime.embedded.mail import CaughtMail
from tests.faults.history import History, Outcome
from tests.runtime.waiting import PATIENCE

HONEST = 503
"""Nothing was done, or nobody knows: the answer says which, and that it may be repeated."""
TRIED_IN_VAIN = 3
"""A workflow task that fails so often is stuck; one failure is a worker that died."""
POLICY = tuple(PolicyStage)
ONLY_AFTER: dict[CaseKind, dict[str, frozenset[str]]] = {
    CaseKind.POLICY: {},
    CaseKind.HAZARD: {
        HazardStage.CLOSED: frozenset({HazardStage.CLAIMED}),
        HazardStage.FAILED: frozenset({HazardStage.CLAIMED}),
    },
    CaseKind.CLAIM: {
        ClaimStage.AGREED: frozenset({ClaimStage.DETERMINED}),
        ClaimStage.REFUSED: frozenset({ClaimStage.DENIED}),
        ClaimStage.CLOSED: frozenset({ClaimStage.COMPLETED, ClaimStage.REFUSED}),
    },
}
ENDS = frozenset({HazardStage.CLOSED, HazardStage.STOPPED, ClaimStage.WITHDRAWN})

UNWRITTEN = """
SELECT k.command_id FROM commands k
WHERE NOT EXISTS (SELECT 1 FROM steps s WHERE s.case_id = k.case_id AND s.seq = k.seq)
"""
GAPS = """
SELECT c.workflow_id, c.seq, count(s.seq) AS steps, max(s.seq) AS last
FROM cases c LEFT JOIN steps s ON s.case_id = c.id GROUP BY c.id HAVING count(s.seq) <> c.seq OR max(s.seq) <> c.seq
"""
TWICE = {
    "command": "SELECT insurer_id || ' ' || command_id FROM steps WHERE command_id IS NOT NULL"
    " GROUP BY insurer_id, command_id, case_id HAVING count(*) > 1",
    "alarm": "SELECT case_id || ' ' || (cause->>'key') FROM steps WHERE cause->>'kind' = 'alarm'"
    " GROUP BY case_id, cause->>'key' HAVING count(*) > 1",
    "duty told": "SELECT notice_key FROM outbox GROUP BY notice_key HAVING count(*) > 1",
    "payment confirmed": "SELECT case_id || ' ' || (data->>'number') FROM timeline WHERE event = 'payment_confirmed'"
    " GROUP BY case_id, data->>'number' HAVING count(*) > 1",
    "limit taken": "SELECT r.insurer_id || ' ' || r.number FROM reservations r JOIN limit_movements m"
    " ON (m.insurer_id, m.number) = (r.insurer_id, r.number) AND m.person IS NULL"
    " GROUP BY r.insurer_id, r.number HAVING sum(m.amount) > r.amount",
}
OF_THE_LIMIT = """
SELECT l.policy_id, l.{limit}, sum(m.amount) AS used FROM claim_limits l
JOIN reservations r USING (insurer_id, policy_id)
JOIN limit_movements m ON (m.insurer_id, m.number) = (r.insurer_id, r.number)
WHERE m.pot = '{pot}' AND m.person IS {person} GROUP BY l.insurer_id, l.policy_id{each} HAVING sum(m.amount) > l.{limit}
"""
OVER_LIMIT = tuple(
    OF_THE_LIMIT.format(limit=limit, pot=pot, person=person, each=each)
    for limit, pot, person, each in (
        ("aggregate", "indemnity", "NULL", ""),
        ("per_accident", "indemnity", "NULL", ", r.accident"),
        ("per_person", "indemnity", "NOT NULL", ", m.person"),
        ("rescue", "rescue", "NULL", ", r.accident"),
        ("costs", "costs", "NULL", ", r.accident"),
    )
)
"""As activities/treasury.py counts them, but asked of all at once and without its locks."""
OVER_RESERVED = """
SELECT o.order_key, o.amount, coalesce(sum(m.amount), 0) AS held FROM payment_orders o
LEFT JOIN limit_movements m ON (m.insurer_id, m.number) = (o.insurer_id, o.number) AND m.person IS NULL
WHERE o.state <> 'refused' GROUP BY o.insurer_id, o.number HAVING o.amount > coalesce(sum(m.amount), 0)
"""
STAGES = """
SELECT c.kind, c.workflow_id, k.seq, k.answer->>'stage' AS stage FROM commands k JOIN cases c ON c.id = k.case_id
WHERE k.answer->>'stage' IS NOT NULL ORDER BY c.id, k.seq
"""
READ_MODEL = """
SELECT c.workflow_id, c.stage, k.answer->>'stage' AS answered FROM cases c
JOIN commands k ON k.case_id = c.id AND k.seq = c.seq WHERE k.answer->>'stage' <> c.stage
"""
MAILS = """
SELECT m.message_id, m.status, (SELECT count(*) FROM attempts a WHERE a.mail_id = m.id) AS attempts FROM mails m
"""
SILENT = """
SELECT o.notice_key FROM outbox o WHERE o.status <> 'queued' AND o.mail_id IS NULL
AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.notice_id = o.id)
"""
TELLS_NOTHING = """
SELECT m.message_id FROM mails m JOIN recipients r ON r.id = m.recipient_id AND r.role <> 'human_queue'
WHERE m.status IN ('accepted', 'ambiguous') AND m.copy_of IS NULL
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.mail_id = m.id)
AND NOT EXISTS (SELECT 1 FROM asked_letters a WHERE a.mail_id = m.id)
"""
"""Of what it told, another letter tells now, under another Message-ID. Operators are told of the backlog as well."""
UNENDED = """
SELECT m.message_id || ' #' || a.number FROM mails m JOIN attempts a ON a.mail_id = m.id
WHERE m.status IN ('accepted', 'ambiguous', 'bounced') AND a.outcome IS NULL
"""
ORDERS = "SELECT order_key, amount, attempt FROM payment_orders"
UNTOLD = """
SELECT o.notice_key FROM outbox o JOIN recipients r ON r.id = o.recipient_id
WHERE o.status = 'queued' AND o.urgency = 'now' AND coalesce(r.email, '') <> ''
"""
ABANDONED = """
SELECT o.notice_key FROM outbox o WHERE o.status IN ('bounced', 'undelivered')
AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.notice_id = o.id)
"""
UNSENT = "SELECT message_id FROM mails WHERE status = 'queued'"
NUDGES = "SELECT recipient_id::text FROM nudges"
MOVES = """
SELECT (SELECT count(*) FROM steps), (SELECT count(*) FROM mails), (SELECT count(*) FROM nudges),
       (SELECT count(*) FROM attempts), (SELECT count(*) FROM attempts WHERE outcome IS NULL),
       (SELECT count(*) FROM payment_answers)
"""
"""Grows or shrinks with whatever a system does by itself."""
ON_THE_WAY = "SELECT order_key FROM payment_orders WHERE state IN ('written', 'sending')"


@dataclass
class Look:
    """Where the invariants look. What is `None` is not part of the test, and what is asked of it is left out.

    Without `client` I8; without `mails` the letters of I5, I8 and I9; without `bank` its payments in I2 and I3 and the
    orders of I9. Of what `history` does not hold, I1, I7 and I10 ask nothing.
    """

    admin_url: str
    backup_url: str
    client: Client | None = None
    mails: Sequence[CaughtMail] | None = None
    bank: CoreSystem | None = None
    history: History = field(default_factory=History)

    @property
    def on_the_way(self) -> dict[str, str]:
        """What has to come to an end, and where the rest of it is found."""
        letters = {} if self.mails is None else {"nudge": NUDGES, "urgent notice": UNTOLD, "mail": UNSENT}
        return letters | ({} if self.bank is None else {"payment order": ON_THE_WAY})


@dataclass
class _Eyes:
    look: Look
    rows: asyncpg.Connection
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))

    async def texts(self, query: str) -> list[str]:
        return [str(row[0]) for row in await self.rows.fetch(query)]

    async def mailrooms(self, table: str) -> list[str]:
        """Workflows of everybody this table has anything for; none where letters or workflows are not asked about."""
        if self.look.client is None or self.look.mails is None:
            return []
        told = await self.texts(f"SELECT DISTINCT recipient_id FROM {table}")
        return [mailroom_workflow_id(UUID(one)) for one in told]

    async def described(self, name: str) -> DescribeWorkflowExecutionResponse | None:
        """What the engine says of a workflow; `None` where it knows of none."""
        assert self.look.client is not None
        try:
            async with self.gate:
                return (await self.look.client.get_workflow_handle(name).describe()).raw_description
        except RPCError as refusal:
            if refusal.status is not RPCStatusCode.NOT_FOUND:
                raise
            return None


async def broken(look: Look, *only: str) -> list[str]:
    """Every invariant that does not hold, with what was found; empty is the proof.

    `only`: numbers such as I5, where a test plants rows no case has written, and the others cannot be asked.
    """
    asked = {name: check for name, check in CHECKS.items() if not only or name.partition(" ")[0] in only}
    rows = await asyncpg.connect(look.admin_url)
    try:
        eyes = _Eyes(look, rows)
        return [f"{name}: {one}" for name, check in asked.items() for one in await check(eyes)]
    finally:
        await rows.close()


async def broken_at_rest(look: Look, within: float = PATIENCE) -> list[str]:
    """The same, once nothing is on its way any more.

    Where a term ended or an office opened while it was asked, the answers are of several moments: it is asked again.
    """
    clock = asyncio.get_running_loop().time
    ends = clock() + within
    while True:
        await settled(look, ends - clock())
        before = await rows_of(look.admin_url, MOVES)
        found = await broken(look)
        if not found or clock() >= ends or before == await rows_of(look.admin_url, MOVES):
            return found


async def settled(look: Look, within: float = PATIENCE) -> float:
    """Wait until nothing is on its way any more: outbox, nudges, payment orders; gives the seconds it took.

    Returns also when `within` is over: what is still on its way is then told by I9.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    rows = await asyncpg.connect(look.admin_url)
    try:
        eyes = _Eyes(look, rows)
        while clock() < began + within and not await _at_rest(eyes):
            await asyncio.sleep(0.1)
        return clock() - began
    finally:
        await rows.close()


async def _at_rest(eyes: _Eyes) -> bool:
    """Nothing is on its way, and no mailroom has anything in hand.

    In office hours one that was nudged writes a digest of what need not have left; no row shows that it is about to.
    """
    for query in eyes.look.on_the_way.values():
        if await eyes.rows.fetchrow(query):
            return False
    found = await asyncio.gather(*(eyes.described(name) for name in await eyes.mailrooms("outbox")))
    return not any(one and (one.pending_activities or one.HasField("pending_workflow_task")) for one in found)


async def _acknowledged_is_present(eyes: _Eyes) -> list[str]:
    """I1: what was answered with 2xx is on record, and so is the step it speaks of."""
    known = set(await eyes.texts("SELECT command_id FROM commands"))
    acknowledged = eyes.look.history.of(Outcome.OK)
    lost = [
        f"{one.path} {one.key} is lost" for one in acknowledged if _is_case(one.path) and one.command_id not in known
    ]
    return lost + [f"{one} was answered without a step" for one in await eyes.texts(UNWRITTEN)]


def _is_case(path: str) -> bool:
    """Whether a path leads to a command of a case; victims' data and files are not commands."""
    return not path.endswith(("/victims", "/files"))


async def _effects_are_single(eyes: _Eyes) -> list[str]:
    """I2: one effect for each business key."""
    twice = [f"{name} twice: {one}" for name, query in TWICE.items() for one in await eyes.texts(query)]
    if eyes.look.bank is not None:
        attempts = {row["order_key"]: row["attempt"] for row in await eyes.rows.fetch(ORDERS)}
        for key, paid in eyes.look.bank.payments.items():
            if key not in attempts:
                twice.append(f"paid without an order: {key}")
            elif paid.asked > max(1, attempts[key]):  # books that were set back remember an order without its attempt
                twice.append(f"{key} was asked for {paid.asked} times in {attempts[key]} attempts")
    return twice


async def _payments_are_within_limits(eyes: _Eyes) -> list[str]:
    """I3: no limit is exceeded, nothing is ordered beyond what was reserved, the bank paid what was ordered."""
    over = [str(dict(row)) for query in (*OVER_LIMIT, OVER_RESERVED) for row in await eyes.rows.fetch(query)]
    if eyes.look.bank is not None:
        ordered = {row["order_key"]: str(row["amount"]) for row in await eyes.rows.fetch(ORDERS)}
        for key, paid in eyes.look.bank.payments.items():
            if key in ordered and str(paid.body["amount"]) != ordered[key]:
                over.append(f"{key}: paid {paid.body['amount']}, ordered {ordered[key]}")
    return over


async def _transitions_are_legal(eyes: _Eyes) -> list[str]:
    """I4: steps without gaps, stages in their order, and the read model at the last of them."""
    illegal = [f"gap: {dict(row)}" for row in await eyes.rows.fetch(GAPS)]
    illegal += [f"read model: {dict(row)}" for row in await eyes.rows.fetch(READ_MODEL)]
    before: dict[str, str] = {}
    for row in await eyes.rows.fetch(STAGES):
        stage, last = row["stage"], before.get(row["workflow_id"])
        if last is not None and not _legal(CaseKind(row["kind"]), last, stage):
            illegal.append(f"{row['workflow_id']} #{row['seq']}: {last} → {stage}")
        before[row["workflow_id"]] = stage
    return illegal


def _legal(kind: CaseKind, before: str, after: str) -> bool:
    if before == after:
        return True
    if kind is CaseKind.POLICY:
        return POLICY.index(PolicyStage(after)) > POLICY.index(PolicyStage(before))
    return before not in ENDS and before in ONLY_AFTER[kind].get(after, {before})


async def _mails_are_sent_under_one_id(eyes: _Eyes) -> list[str]:
    """I5: what was to be told is in one mail or with a person; each mail that was handed over arrived under its id.

    Copies come from attempts on record, each of which has ended.
    """
    wrong = [f"{key} is in no mail and with nobody" for key in await eyes.texts(SILENT)]
    wrong += [f"{name} tells of nothing" for name in await eyes.texts(TELLS_NOTHING)]
    wrong += [f"{name} has no end" for name in await eyes.texts(UNENDED)]
    if eyes.look.mails is None:
        return wrong
    arrived, known = Counter(mail.message_id.strip("<>") for mail in eyes.look.mails), set[str]()
    for row in await eyes.rows.fetch(MAILS):
        name = row["message_id"].strip("<>")
        known.add(name)
        if row["status"] in ("accepted", "ambiguous") and not arrived[name]:
            wrong.append(f"{name} is {row['status']} and never arrived")
        if arrived[name] > row["attempts"]:
            wrong.append(f"{name} arrived {arrived[name]} times in {row['attempts']} attempts")
    return wrong + [f"{name} is nobody's" for name in arrived if name not in known]


async def _every_change_is_audited(eyes: _Eyes) -> list[str]:
    """I6: the chains verify, and every step is in them."""
    reader = await asyncpg.connect(eyes.look.backup_url)
    try:
        verifier = Verifier(reader)
        verdict = await verifier.run(await verifier.chains())
    finally:
        await reader.close()
    return [f"{one.fault.value} {one.detail}" for one in verdict.findings]


async def _nobody_saw_anothers_row(eyes: _Eyes) -> list[str]:
    """I7: no answer names a case of another insurer."""
    owners = {row["id"]: row["insurer_id"] for row in await eyes.rows.fetch("SELECT id, insurer_id FROM cases")}
    seen = eyes.look.history.seen.items()
    return [f"{asker} saw {one}" for asker, named in seen for one in named if owners.get(one, asker) != asker]


async def _no_workflow_is_stuck(eyes: _Eyes) -> list[str]:
    """I8: every open case has a running workflow, and neither it nor a mailroom fails its task again and again."""
    if eyes.look.client is None:
        return []
    names = dict.fromkeys(await eyes.texts("SELECT workflow_id FROM cases WHERE ended_at IS NULL"), True)
    names |= dict.fromkeys(await eyes.mailrooms("mails"), False)
    return [said for said in await asyncio.gather(*(_stuck(eyes, *one) for one in names.items())) if said]


async def _stuck(eyes: _Eyes, name: str, lives: bool) -> str | None:
    """`lives`: it has to; a mailroom comes back with its next nudge, and what waits for it is asked by I9."""
    found = await eyes.described(name)
    if found is None:
        return f"{name} has no workflow" if lives else None
    if lives and found.workflow_execution_info.status != 1:  # running, as the server counts
        return f"{name} is open and its workflow has ended"
    tried = found.pending_workflow_task.attempt if found.HasField("pending_workflow_task") else 0
    return f"{name} fails its task, {tried} times" if tried > TRIED_IN_VAIN else None


async def _outbox_is_empty(eyes: _Eyes) -> list[str]:
    """I9: nothing urgent waits, no mail is half sent, no nudge lies, and what was given up lies with a person.

    What waits for office hours may wait.
    """
    waiting = eyes.look.on_the_way.items()
    left = [f"{name} waits: {one}" for name, query in waiting for one in await eyes.texts(query)]
    return left + [f"{one} was given up and is with nobody" for one in await eyes.texts(ABANDONED)]


async def _nobody_was_answered_500(eyes: _Eyes) -> list[str]:
    """I10: no server-side 500, nor any other 5xx but the 503 that says how to go on."""
    asked = eyes.look.history.operations
    return [f"{one.path} {one.key}: {answer}" for one in asked for answer in one.answers if 500 <= answer != HONEST]


CHECKS: dict[str, Callable[[_Eyes], Awaitable[list[str]]]] = {
    "I1 acknowledged is present": _acknowledged_is_present,
    "I2 one effect for each key": _effects_are_single,
    "I3 payments within limits": _payments_are_within_limits,
    "I4 legal transitions": _transitions_are_legal,
    "I5 mails under one id": _mails_are_sent_under_one_id,
    "I6 changes are audited": _every_change_is_audited,
    "I7 nobody sees another's": _nobody_saw_anothers_row,
    "I8 no workflow is stuck": _no_workflow_is_stuck,
    "I9 outbox is empty": _outbox_is_empty,
    "I10 no server error": _nobody_was_answered_500,
}


def count(found: Sequence[str], name: str) -> int:
    """How many findings are of this invariant."""
    return sum(one.startswith(f"{name}:") for one in found)


async def rows_of(admin_url: str, query: str, *given: Any) -> list[asyncpg.Record]:
    """Rows as a superuser sees them, over a connection of its own."""
    connection = await asyncpg.connect(admin_url)
    try:
        return await connection.fetch(query, *given)
    finally:
        await connection.close()
