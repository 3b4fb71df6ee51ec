"""Codes mailed to a registered address: few letters, few tries, one use, one recipient, the newest only."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.entrance.codes import MOST_AN_HOUR, TRIES, Asked, ask, use
from api.tools import Tools
from domain.codes import code_of, is_code
from models.contracts.vocabulary import ActorKind, AskedFor
from tests.desk.conftest import Person, SignedIn, Town, admin, app, http, insurer, other, signed_in, tools, town

__all__ = ["admin", "app", "http", "insurer", "other", "signed_in", "tools", "town"]


def entering(recipient_id: UUID) -> Asked:
    return Asked(recipient_id, AskedFor.CODE_TO_ENTER)


async def asked_by(tools: Tools, asked: Asked) -> UUID | None:
    async with tools.engine.begin() as connection:
        return await ask(tools, connection, asked)


async def letter_of(tools: Tools, asked: Asked) -> UUID:
    letter_id = await asked_by(tools, asked)
    assert letter_id is not None
    return letter_id


def wrong(tools: Tools, letter_id: UUID) -> str:
    return str((int(code_of(tools.secret, letter_id)) + 1) % 10**6).zfill(6)


def at(tools: Tools, **later: float) -> Tools:
    moment = datetime.now(UTC) + timedelta(**later)
    return replace(tools, now=lambda: moment)


def test_a_code_is_six_digits_of_its_own_letter_and_secret_and_spaces_do_not_count():
    letter_id = uuid4()
    code = code_of(b"s" * 32, letter_id)
    assert len(code) == 6
    assert code.isdigit()
    assert is_code(b"s" * 32, letter_id, f" {code[:3]} {code[3:]} ")
    assert not is_code(b"t" * 32, letter_id, code)
    assert not is_code(b"s" * 32, uuid4(), code)
    assert not is_code(b"s" * 32, letter_id, "一二三四五六")


def test_codes_are_spread_evenly():
    tenths = [0] * 10
    for _ in range(5000):
        tenths[int(code_of(b"s" * 32, uuid4())[0])] += 1
    assert min(tenths) > 380, tenths
    assert max(tenths) < 620, tenths


async def test_the_right_code_works_once(tools: Tools, town: Town):
    asked = entering(town.enterprises[0])
    letter_id = await letter_of(tools, asked)
    code = code_of(tools.secret, letter_id)
    assert await use(tools, asked, code) == letter_id
    assert await use(tools, asked, code) is None


async def test_of_twenty_who_type_the_right_code_at_once_one_comes_in(tools: Tools, town: Town):
    asked = entering(town.enterprises[0])
    code = code_of(tools.secret, await letter_of(tools, asked))
    came = await asyncio.gather(*(use(tools, asked, code) for _ in range(20)))
    assert len([one for one in came if one]) == 1


async def test_twenty_guesses_at_once_are_five_tries_and_then_the_right_code_is_worth_nothing(
    tools: Tools, town: Town, admin: AsyncEngine
):
    asked = entering(town.enterprises[0])
    letter_id = await letter_of(tools, asked)
    guesses = await asyncio.gather(*(use(tools, asked, wrong(tools, letter_id)) for _ in range(20)))
    assert set(guesses) == {None}
    async with admin.connect() as connection:
        counted = await connection.execute(text("SELECT tries FROM asked_letters"))
        assert counted.scalar_one() == TRIES
        failed = await connection.execute(text("SELECT count(*) FROM audit WHERE what = 'code_failed'"))
        assert failed.scalar_one() == TRIES
    assert await use(tools, asked, code_of(tools.secret, letter_id)) is None


async def test_a_code_ends_after_ten_minutes(tools: Tools, town: Town):
    asked = entering(town.enterprises[0])
    letter_id = await letter_of(tools, asked)
    code = code_of(tools.secret, letter_id)
    assert await use(at(tools, minutes=10, seconds=1), asked, code) is None
    assert await use(at(tools, minutes=9, seconds=50), asked, code) == letter_id


async def test_a_newer_code_makes_the_older_one_worthless(tools: Tools, town: Town):
    asked = entering(town.enterprises[0])
    older = await letter_of(tools, asked)
    newer = await letter_of(at(tools, seconds=1), asked)
    assert await use(tools, asked, code_of(tools.secret, older)) is None
    assert await use(tools, replace(asked, letter_id=older), code_of(tools.secret, older)) is None
    assert await use(tools, asked, code_of(tools.secret, newer)) == newer


async def test_the_code_of_another_address_or_for_another_purpose_is_refused(tools: Tools, town: Town):
    first, second = (entering(one) for one in town.enterprises)
    mine, theirs = await letter_of(tools, first), await letter_of(tools, second)
    assert await use(tools, first, code_of(tools.secret, theirs)) is None
    to_act = Asked(town.enterprises[0], AskedFor.CODE_TO_ACT, link_id=uuid4())
    assert await use(tools, to_act, code_of(tools.secret, mine)) is None


async def test_who_did_not_ask_cannot_spend_the_tries_of_who_did(tools: Tools, town: Town):
    asked = entering(town.enterprises[0])
    letter_id = await letter_of(tools, asked)
    for _ in range(TRIES):
        assert await use(tools, replace(asked, letter_id=uuid4()), "000000") is None
    assert await use(tools, replace(asked, letter_id=letter_id), code_of(tools.secret, letter_id)) == letter_id


async def test_at_most_five_letters_in_an_hour_however_many_ask_at_once(tools: Tools, town: Town, admin: AsyncEngine):
    most = MOST_AN_HOUR[AskedFor.CODE_TO_ENTER]
    assert most == 5
    asked = entering(town.enterprises[0])
    letters = await asyncio.gather(*(asked_by(tools, asked) for _ in range(12)))
    assert len([one for one in letters if one]) == most
    assert await asked_by(tools, entering(town.enterprises[1])) is not None
    assert await asked_by(at(tools, minutes=61), asked) is not None
    async with admin.connect() as connection:
        nudges = await connection.execute(text("SELECT count(*) FROM nudges"))
        assert nudges.scalar_one() == most + 2


@pytest.mark.parametrize("kind", [ActorKind.ENTERPRISE, ActorKind.DEPARTMENT])
async def test_asking_and_failing_are_on_record_without_the_code(
    tools: Tools, town: Town, admin: AsyncEngine, signed_in: SignedIn, kind: ActorKind
):
    person: Person = await signed_in(kind, by_code=True)
    assert person.recipient_id is not None
    letter_id = await letter_of(tools, entering(person.recipient_id))
    await use(tools, entering(person.recipient_id), wrong(tools, letter_id))
    async with admin.connect() as connection:
        rows = (await connection.execute(text("SELECT what, result, chain, said::text FROM audit ORDER BY at"))).all()
    told = [(row.what, row.result, row.chain) for row in rows if row.what.startswith("code_")]
    chain = person.insurer_id or UUID(int=0)
    assert told == [("code_sent", "done", chain), ("code_failed", "refused", chain)]
    assert not any(code_of(tools.secret, letter_id) in row.said for row in rows)
