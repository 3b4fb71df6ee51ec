"""People's data goes when its term is over and not before, nowhere is any left, and the books do not feel it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from api.claims.doors import losses
from api.words import Scope
from runtime.auditing import Verifier
from runtime.commands import privacy
from runtime.settings import Settings
from tests.api.claiming import done, instructed, insured, reported, trusted, until, victim
from tests.api.conftest import Caller, sample_file
from tests.conftest import Database
from tests.runtime.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("worker")
PLANTED = {
    "name": "欧阳待删",
    "identity_number": "341302197705050077",
    "bank_account": "6217009988776655443",
    "phone": "13955557777",
}
READS = ("", "/ledger", "/explanation", "/timeline", "/duties", "/notices", "/prevention")
WHY = ("--because", "保存期满")
OVER = "UPDATE cases SET expires_on = current_date WHERE kind = 'policy' AND ended_at IS NULL"
AGED = """
UPDATE cases SET signed_on = signed_on - {days}, effective_on = effective_on - {days}, expires_on = expires_on - {days},
    ended_at = coalesce(ended_at, changed_at) - interval '{days} days', changed_at = changed_at - interval '{days} days'
"""
BOUNCED = """
WITH mail AS (
    INSERT INTO mails (id, recipient_id, message_id, urgency, composed_at)
    SELECT gen_random_uuid(), id, '<x@anze.example>', 'now', now() FROM recipients WHERE email = '{email}' RETURNING id
)
INSERT INTO attempts (mail_id, number, started_at, code, reply) SELECT id, 1, now(), 550, '<{email}> unknown' FROM mail
"""
CONTACT = "anquan@wanbei-chem.example"
COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'public' AND data_type IN ('text', 'character varying', 'jsonb', 'bytea', 'ARRAY')
"""
Said = Callable[..., Awaitable[Result]]


@pytest.fixture
def said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Said:
    """Runs the command as a process with these settings would."""
    monkeypatch.setattr(privacy, "Settings", lambda: settings)

    async def run(*words: object) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, privacy.app, [str(word) for word in words])

    return run


async def paid(insurer: Caller, admin: AsyncEngine, number: str = "C-1") -> tuple[str, str]:
    """A claim of the planted person that went its whole way; claim and victim."""
    core = await trusted(insurer, admin, Scope.PAYMENTS_CONFIRM, Scope.VICTIMS_READ)
    await sample_file(insurer)
    claim_id = await reported(insurer, await insured(insurer, f"PA-{number}"), number)
    ref = await victim(insurer, claim_id, **PLANTED)
    await done(insurer, claim_id, "survey")
    await done(insurer, claim_id, "assessment", {"lines": losses(ref)})
    await done(insurer, claim_id, "determination")
    await done(insurer, claim_id, "settlement")
    await instructed(insurer, claim_id, ref, f"P-{number}")
    assert (await core.get(f"/v1/claims/{claim_id}/victims?unmasked=true&why=核对账户")).status_code == 200
    confirmed = {"result": "confirmed", "reference": f"BK-{number}"}
    await core.post(f"/v1/claims/{claim_id}/payments/P-{number}/confirmation", confirmed)
    await until(insurer, claim_id, f"P-{number}", "confirmed")
    await done(insurer, claim_id, "result-upload")
    await done(insurer, claim_id, "closing")
    return claim_id, ref


async def aged(admin: AsyncEngine, years: int) -> None:
    """So many years, and a week of leap days, have passed since all of it was over."""
    async with admin.begin() as connection:
        await connection.execute(text(OVER))
        await connection.execute(text(AGED.format(days=years * 365 + 7)))


async def readings(insurer: Caller, claim_id: str) -> dict[str, Any]:
    """Everything a claim says of itself, but for when it was asked."""
    said = {path: (await insurer.get(f"/v1/claims/{claim_id}{path}")).json() for path in READS}
    return {path: {**one, "as_of": ""} if isinstance(one, dict) else one for path, one in said.items()}


async def books(admin: AsyncEngine) -> dict[str, list[str]]:
    async with admin.connect() as connection:
        return {
            table: list((await connection.execute(text(f"SELECT t::text FROM {table} t ORDER BY 1"))).scalars())
            for table in ("payment_orders", "payment_answers", "reservations", "limit_movements", "claim_limits",
                          "steps", "timeline", "commands", "cases", "outbox", "victim_sights")
        }  # fmt: skip


async def hits(database: Database, values: list[str]) -> list[str]:
    """Every column in which one of these words stands, in clear or as bytes."""
    connection = await asyncpg.connect(database.admin)
    found: list[str] = []
    try:
        for table, column in await connection.fetch(COLUMNS):
            as_text = f"(to_jsonb(t)->'{column}')::text"  # bytea as hex, arrays and documents as they are written
            for value in values:
                asked = f"SELECT count(*) FROM {table} t WHERE {as_text} LIKE $1 OR {as_text} LIKE $2"
                if await connection.fetchval(asked, f"%{value}%", f"%{value.encode().hex()}%"):
                    found.append(f"{table}.{column}: {value}")
    finally:
        await connection.close()
    return found


async def sealed(database: Database) -> list[str]:
    """What lay in the victims' sealed columns, as hex, and the digest by which the number was found again."""
    connection = await asyncpg.connect(database.admin)
    row = await connection.fetchrow("SELECT name, identity_number, bank_account, phone, look_alike FROM victims")
    await connection.close()
    assert row is not None
    return [one.hex() if isinstance(one, bytes) else one for one in row]


async def chain_holds(database: Database) -> bool:
    reader = await asyncpg.connect(database.backup)
    verifier = Verifier(reader)
    try:
        return (await verifier.run(await verifier.chains(None), None)).holds
    finally:
        await reader.close()


async def test_after_its_term_nothing_of_a_person_is_left_and_everything_else_is(
    insurer: Caller, admin: AsyncEngine, database: Database, said: Said
) -> None:
    claim_id, ref = await paid(insurer, admin)
    await aged(admin, 11)
    async with admin.begin() as connection:
        await connection.execute(text(BOUNCED.format(email=CONTACT)))
    was_sealed, reading, kept = await sealed(database), await readings(insurer, claim_id), await books(admin)
    assert len(await hits(database, was_sealed)) == len(was_sealed) == 5, "we look in the right places"
    listed = await said("due", "--json")
    assert [(one["persons"], one["contacts"]) for one in json.loads(listed.stdout)] == [(1, 1)], listed.output
    assert not any(value in listed.output for value in PLANTED.values())
    ended = await said("erase", "--all-due", "--yes", "--json", *WHY)
    assert json.loads(ended.stdout.splitlines()[-1]) == {"persons": 1, "contacts": 1, "mentions": {}}, ended.output
    left = [*PLANTED.values(), *was_sealed, CONTACT]
    assert await hits(database, left) == []
    assert await books(admin) == kept
    assert await readings(insurer, claim_id) == reading
    shown = (await insurer.get(f"/v1/claims/{claim_id}/victims")).json()[0]
    assert (shown["ref"], shown["name"], shown["erased_because"]) == (ref, "", "保存期满")
    assert await chain_holds(database)
    async with admin.connect() as connection:
        trail = (await connection.execute(text("SELECT object_kind, said FROM audit WHERE what = 'erased'"))).all()
    assert [(row.object_kind, row.said) for row in trail] == [
        ("victims", {"first": [ref], "victims": 1}), ("recipient", {"contacts": 1}),
    ]  # fmt: skip
    again = await said("erase", "--all-due", "--yes", "--json", *WHY)
    assert json.loads(again.stdout.splitlines()[-1])["persons"] == 0
    async with asyncio.timeout(PATIENCE):  # the case lives on from its ledger, as if nothing had been taken
        assert (await done(insurer, claim_id, "reopening"))["stage"] == "reported"
    assert (await insurer.get(f"/v1/claims/{claim_id}/ledger")).json()["totals"] == reading["/ledger"]["totals"]


async def test_what_the_law_or_a_person_wants_kept_is_not_erased(
    insurer: Caller, admin: AsyncEngine, said: Said
) -> None:
    claim_id, ref = await paid(insurer, admin)
    erase = ("erase", "--claim", "C-1", "--insurer", insurer.code, "--yes", *WHY)
    refused = await said(*erase)
    assert (refused.exit_code, "保险合同尚未终止" in refused.stderr) == (1, True), refused.output
    await aged(admin, 4)
    assert "《保险法》第八十七条" in (await said(*erase)).stderr
    await aged(admin, 2)
    assert json.loads((await said("due", "--json")).stdout) == [], "our own term is longer than the law's"
    assert (await said("hold", "--claim", "C-1", "--because", "诉讼")).exit_code == 0
    assert "要求暂缓" in (await said(*erase)).stderr
    assert (await said("release", "--claim", "C-1", "--because", "已结")).exit_code == 0
    naming = await said(*erase[:-1], f"{PLANTED['name']}要求删除")
    assert (naming.exit_code, "不能写受害人" in naming.stderr) == (1, True)
    assert "没有受害人" in (await said(*erase, "--victim", claim_id)).stderr
    assert (await said("erase", *WHY)).exit_code == 2
    ended = await said(*erase, "--victim", ref)
    assert (ended.exit_code, "已删除 1 人" in ended.stdout) == (0, True), ended.output
    async with admin.connect() as connection:
        events = text("SELECT what FROM audit WHERE what IN ('erased', 'erasure_held') ORDER BY number")
        assert (await connection.execute(events)).scalars().all() == ["erasure_held", "erasure_held", "erased"]


async def test_a_person_is_told_what_is_held_and_the_asking_is_on_record(
    insurer: Caller, admin: AsyncEngine, said: Said
) -> None:
    claim_id = await reported(insurer, await insured(insurer))
    ref = await victim(insurer, claim_id, **PLANTED)
    await done(insurer, claim_id, "survey", {"facts_true": True, "note": f"{PLANTED['name']}在场"})
    told = await said("about", "--victim", ref, "--json", "--because", "本人查询")
    lines = {(one["what"], one["said"]) for one in json.loads(told.stdout)}
    assert {PLANTED["name"], PLANTED["identity_number"], PLANTED["bank_account"]} <= {text for _, text in lines}
    assert any(what == "文字里提到" and "办理记录" in text for what, text in lines), "what was typed is not hidden"
    contact = await said("about", "--email", CONTACT, "--because", "本人查询")
    assert "通讯录" in contact.stdout, contact.output
    assert "没有" in (await said("about", "--email", "nobody@x.example", "--because", "本人查询")).stdout
    async with admin.connect() as connection:
        why = (await connection.execute(text("SELECT why FROM victim_sights"))).scalars().all()
        asked = (await connection.execute(text("SELECT count(*) FROM audit WHERE what = 'person_told'"))).scalar_one()
    assert (why, asked) == (["本人查询"], 3)
