"""What `anze doctor` finds in Temporal, in mail and identity servers and on the disk, each brought about there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from google.protobuf.duration_pb2 import Duration
from pydantic import SecretStr
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from activities.mailserver import SmtpSettings
from api.queues import reported
from models.contracts.ids import HUMAN_QUEUE
from models.contracts.mailroom import MailroomState
from models.tables.engine import make_engine
from models.tables.sealed import new_key
from runtime import identities
from runtime.checkup import outside
from runtime.checkup.engine import Engine
from runtime.checkup.finding import Finding, Part, State, examined, good
from runtime.checkup.outside import Outside
from runtime.codec import converter
from runtime.embedded.mail import MailCatcher
from runtime.embedded.ports import LOOPBACK, free_ports
from runtime.embedded.temporal import DYNAMIC_CONFIG, TemporalServer
from runtime.replaying import samples
from runtime.search import search_attributes, unfit_search_attributes
from runtime.settings import Settings
from runtime.witnesses import prove
from runtime.worker import library, make_worker
from tests.runtime.examining import examining
from tests.runtime.waiting import until

NOWHERE = f"postgresql+asyncpg://nobody@{LOOPBACK}:9/nothing"
"""The discard port: nobody listens there."""
DAY = Duration(seconds=86_400)
REPORTED_AFTER = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute"


async def test_a_namespace_nobody_prepared_is_told_with_everything_it_lacks(
    settings: Settings, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, wanted = settings.task_queue, [key.name for key in search_attributes()]
    service = temporal.service_client
    await service.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=DAY)
    )
    other = {wanted[0]: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE}
    await service.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=name, search_attributes=other)
    )
    there = await Client.connect(str(settings.temporal_address), namespace=name)

    async def known() -> bool:
        return (await unfit_search_attributes(there, search_attributes()))[1] == (wanted[0],)

    await until(known)
    code, found = await examining(monkeypatch, settings.model_copy(update={"temporal_namespace": name}))()
    assert code == 1
    assert found["历史保留"] == ("note", "1 天，建议不少于 7 天")
    assert found["搜索属性"] == ("bad", f"缺少 {'、'.join(wanted[1:])}：重启 worker 即登记")
    assert found["搜索属性类型"] == ("bad", f"{wanted[0]} 已以另一种类型登记，worker 起不来")
    bad = {"办理进程", "每日对账", "每日存证"}
    assert {about: found[about][0] for about in bad} == dict.fromkeys(bad, "bad")


async def test_a_case_no_worker_can_go_on_with_and_work_that_is_tried_in_vain_are_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that reports after the first failure, where it is five otherwise and a minute long."""
    monkeypatch.setitem(DYNAMIC_CONFIG, REPORTED_AFTER, "1")
    server = TemporalServer(free_ports(1)[0], attributes=search_attributes())
    await server.start()
    told = settings.model_copy(update={"temporal_address": server.address})
    client = await Client.connect(server.address, data_converter=converter(told))
    engine = make_engine(NOWHERE, 1)
    examined = examining(monkeypatch, told)
    try:
        found = (await examined())[1]
        assert (found["反复失败"], found["反复重试"]) == (("good", "没有"), ("good", "最近 0 件里没有"))
        async with make_worker(client, engine, told, library()):
            room = MailroomState(recipient_id=HUMAN_QUEUE)
            for name in ("这一版没有的流程", "收件室"):
                await client.start_workflow(name, room, id=name, task_queue=told.task_queue)

            async def reported() -> bool:
                found = (await examined())[1]
                stuck = found["反复失败"] == ("bad", "1 件案卷反复失败，见运维页面")
                return stuck and found["反复重试"] == ("note", "查看待发 1，各已试 3 次以上，见运维页面")

            await until(reported)
    finally:
        await engine.dispose()
        await server.stop()
    code, found = await examined()
    assert (code, found["流程引擎"][0]) == (1, "bad"), "a server that is away is a finding too"


async def test_what_the_engine_did_not_say_in_time_is_not_told_as_well() -> None:
    away = await Client.connect(f"{LOOPBACK}:9", lazy=True)
    [found] = await Engine(away, "一队", (), sealed=False, longest=timedelta(minutes=1)).retrying()
    assert (found.about, found.state, found.says) == ("反复重试", State.NOTE, "流程引擎没有及时答复，没有查")


async def test_a_queue_with_a_quotation_mark_in_its_name_is_asked_about_like_any_other(temporal: Client) -> None:
    first, *_, rest = samples("o'clock", closed=True)
    for asked in (first.query, rest.query, reported("o'clock")):
        assert (await temporal.count_workflows(asked)).count == 0


async def test_what_was_sealed_under_another_key_is_told_before_anybody_trips_over_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = (settings.model_copy(update={"payload_keys": SecretStr(f"p1:{new_key()}")}) for _ in range(2))
    engine = make_engine(settings.database, 1)
    await prove(engine, ours)
    await engine.dispose()
    client = await Client.connect(str(settings.temporal_address), data_converter=converter(ours))
    stored = await client.start_workflow("无人办理", "内容", id=settings.task_queue, task_queue=settings.task_queue)
    try:

        async def listed() -> bool:
            state, says = (await examining(monkeypatch, ours)())[1]["载荷加密"]
            return state == "good" and says.endswith("能读最近开始的一件")

        await until(listed)
        wrong = (await examining(monkeypatch, theirs)())[1]
        plain = (await examining(monkeypatch, settings)())[1]
    finally:
        await stored.terminate()
    assert wrong["密钥"] == ("bad", "缺少，或者不是原来的：ANZE_PAYLOAD_KEYS p1")
    assert wrong["载荷加密"] == ("bad", "载荷已损坏 / damaged payload")
    assert (plain["密钥"][0], plain["载荷加密"][0]) == ("bad", "note")


@asynccontextmanager
async def greeting(words: bytes) -> AsyncIterator[int]:
    """A server that says this and no more; its port."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, LOOPBACK, 0) as server:
        yield server.sockets[0].getsockname()[1]


async def mail_told(mail: SmtpSettings | None) -> dict[str, State]:
    return {one.about: one.state for one in await Outside(mail, None, Path()).mail_server()}


async def test_a_mail_server_that_refuses_us_or_that_is_spoken_to_in_the_open_is_told(mailbox: MailCatcher) -> None:
    def at(port: int, **more: str) -> SmtpSettings:
        return SmtpSettings(**{"host": LOOPBACK, "port": port, "sender": "a@anze.example", **more})  # pyright: ignore

    assert await mail_told(None) == {"邮件服务器": State.NOTE}
    assert await mail_told(at(mailbox.port)) == {"邮件服务器": State.GOOD}
    assert await mail_told(at(mailbox.port, host="127.1")) == {"邮件服务器": State.GOOD, "邮件加密": State.NOTE}
    assert await mail_told(at(mailbox.port, user="u", password="p")) == {"邮件服务器": State.BAD}  # it knows no login
    assert await mail_told(at(mailbox.port, tls="starttls")) == {"邮件服务器": State.BAD}
    async with greeting(b"554 5.7.1 not you\r\n") as port:
        assert await mail_told(at(port)) == {"邮件服务器": State.BAD}


async def test_an_identity_provider_of_another_name_or_without_a_discovery_page_is_told(settings: Settings) -> None:
    told = settings.model_copy(update={"identity_port": free_ports(1)[0]})
    provider = identities.development_service(told)
    await provider.start()

    async def asked(issuer: str | None) -> tuple[State, str]:
        [found] = await Outside(None, issuer, Path()).identity_provider()
        assert found.about == "统一身份认证"
        return found.state, found.says

    try:
        known, other = provider.issuer, provider.issuer.replace(LOOPBACK, "127.1")
        assert await asked(known) == (State.GOOD, known)
        assert await asked(other) == (State.BAD, f"{other} 自称 {known}")
        assert await asked(f"{known}/elsewhere") == (State.BAD, f"{known}/elsewhere 答复 404")
        assert (await asked(None))[0] is State.NOTE
    finally:
        await provider.stop()


async def test_a_disk_without_room_is_told_before_it_is_full_and_when_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def room(folder: Path) -> State:
        [found] = await Outside(None, None, folder).room()
        assert found.about == "磁盘"
        return found.state

    assert await room(Path("/proc")) is State.BAD  # a file system that has no room at all
    monkeypatch.setattr(outside, "LEAST_ROOM", 0)
    assert await room(tmp_path / "not there") is State.GOOD
    monkeypatch.setattr(outside, "LITTLE_ROOM", 10**12)
    assert await room(tmp_path) is State.NOTE


async def test_a_look_that_never_ends_and_one_that_fails_are_findings_and_the_third_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("runtime.checkup.finding.WITHIN", 0.05)

    async def hangs() -> list[Finding]:
        await asyncio.Event().wait()
        return []

    async def fails() -> list[Finding]:
        raise asyncpg.PostgresError

    async def well() -> list[Finding]:
        return [good("丙", "好")]

    heard: list[None] = []
    parts = [Part("甲", hangs, "worker.md"), Part("乙", fails, "worker.md"), Part("丙", well, "worker.md")]
    found = await examined(parts, lambda: heard.append(None))
    assert [(one.about, one.state) for one in found] == [("甲", State.BAD), ("乙", State.BAD), ("丙", State.GOOD)]
    assert found[1].says == "查不了：PostgresError"
    assert len(heard) == 3
