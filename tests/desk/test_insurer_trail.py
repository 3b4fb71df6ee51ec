"""An insurer's own audit trail: its auditors and administrators read all of it, and of another insurer's nothing."""

import re

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.audit import AuditEntry, noted
from api.chains import PER_PAGE
from api.keys import COMMAND_LINE
from models.contracts.base import Actor
from models.contracts.vocabulary import ActorKind, AuditEvent, Post
from models.tables.audit import COMMON_CHAIN
from tests.desk.conftest import SignedIn, Town, name_of
from tests.desk.matters import open_policy

HERE = "/insurer/audit"
WHO = re.compile(r'data-label="操作者">([^<]+)<')
NUMBERS = re.compile(r'data-label="号">(\d+)<')


async def write(admin: AsyncEngine, town: Town, second: bool, *numbers: str) -> None:
    for number in numbers:
        entry = AuditEntry(AuditEvent.EXPORTED, town.insurers[second].id, COMMAND_LINE, ("list", number))
        await noted(admin, entry)


async def test_an_auditor_reads_the_own_entries_and_never_another_insurers(
    signed_in: SignedIn, town: Town, admin: AsyncEngine, worker: Worker
) -> None:
    policy_id = await open_policy(town.insurers[0])
    await write(admin, town, False, "ours")
    await write(admin, town, True, "theirs")
    for post in (Post.INSURER_AUDITOR, Post.INSURER_ADMIN):
        mine = (await (await signed_in(ActorKind.INSURER, post)).get(HERE)).text
        assert f'href="/insurer/policies/{policy_id}"' in mine
        assert ("保单签署" in mine, "ours" in mine, "theirs" in mine) == (True, True, False)
        page = (await (await signed_in(ActorKind.INSURER, post, second=True)).get(HERE)).text
        assert ("ours" in page, "theirs" in page, str(policy_id) in page) == (False, True, False)


async def test_the_own_people_are_named_and_found_by_their_names_and_nobody_elses(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
) -> None:
    ours, theirs = await signed_in(ActorKind.INSURER), await signed_in(ActorKind.INSURER, second=True)
    auditor, operator = await signed_in(ActorKind.INSURER, Post.INSURER_AUDITOR), await signed_in(ActorKind.OPERATOR)
    for chain in (town.insurers[0].id, COMMON_CHAIN):
        for person in (ours, theirs, operator):
            actor = Actor(kind=person.kind, id=str(person.user_id), name="某处")
            await noted(admin, AuditEntry(AuditEvent.EXPORTED, chain, actor, ("list", "all")))
    stranger = await name_of(admin, theirs)
    for reader, where, named in ((auditor, HERE, ours), (operator, "/operator/audit", operator)):
        name = await name_of(admin, named)
        assert sorted(WHO.findall((await reader.get(f"{where}?what=exported")).text)) == sorted(
            [name, "某处", "某处"]
        ), where
        assert len(NUMBERS.findall((await reader.get(where, params={"who": name})).text)) == 1, where
        assert NUMBERS.findall((await reader.get(where, params={"who": stranger})).text) == [], where


async def test_a_handler_is_neither_shown_the_way_nor_let_in(signed_in: SignedIn) -> None:
    handler, auditor = await signed_in(ActorKind.INSURER), await signed_in(ActorKind.INSURER, Post.INSURER_AUDITOR)
    assert (await handler.get(HERE)).status_code == 403
    way = f'href="{HERE}"'
    assert (way in (await handler.get("/insurer")).text, way in (await auditor.get("/insurer")).text) == (False, True)


async def test_entries_are_newest_first_and_paged_and_filtered_without_gaps(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
) -> None:
    await write(admin, town, False, *(f"list-{number}" for number in range(1, PER_PAGE + 3)))
    auditor = await signed_in(ActorKind.INSURER, Post.INSURER_AUDITOR)
    page = (await auditor.get(f"{HERE}?what=exported")).text
    following = re.search(r'href="(\?what=exported&amp;before=\d+)"', page)
    assert following
    rest = (await auditor.get(HERE + following[1].replace("&amp;", "&"))).text
    numbers = [int(one) for one in NUMBERS.findall(page) + NUMBERS.findall(rest)]
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) == PER_PAGE + 2
    assert NUMBERS.findall((await auditor.get(f"{HERE}?about=list-7")).text) == [str(min(numbers) + 6)]


async def test_the_page_says_how_far_the_chain_was_verified_and_when_its_end_does_not_fit(
    signed_in: SignedIn, town: Town, admin: AsyncEngine
) -> None:
    own = town.insurers[0].id
    await write(admin, town, False, "one")
    auditor = await signed_in(ActorKind.INSURER, Post.INSURER_AUDITOR)
    assert "还没有查验过" in (await auditor.get(HERE)).text
    for findings, says in ((0, "全部相符"), (2, "不符处数：2")):
        said = {"up_to": 41 + findings, "findings": findings}
        await noted(admin, AuditEntry(AuditEvent.VERIFIED, own, COMMAND_LINE, ("chain", "PS"), said=said))
        page = (await auditor.get(HERE)).text
        assert says in page
        assert f"查到第几条 {41 + findings}" in page
        assert "链头与最后一条对不上" not in page
    async with admin.begin() as connection:
        await connection.execute(text("UPDATE audit_heads SET number = number + 1 WHERE chain = :own"), {"own": own})
    assert "链头与最后一条对不上" in (await auditor.get(HERE)).text
