"""What was planted in a full run is nowhere outside the database: not in the engine, logs, metrics, ids, addresses."""

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from uuid import uuid4
from zipfile import ZipFile

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import Client

from api.claims.doors import losses, payment, report
from api.desk.sessions import begin, cookie_name
from bench.cast import credit_code
from models.contracts import ids
from models.contracts.vocabulary import ActorKind, CameBy, Post
from models.tables.sealed import new_key
from runtime.codec import converter
from tests.faults.children import servant
from tests.faults.ground import Ground
from tests.faults.history import Voice
from tests.faults.lives import LIMITS, Untold
from tests.runtime.waiting import PATIENCE, until

PERSON = {
    "name": "赵钱孙李",
    "identity_number": "341302199001018877",
    "bank_account": "6217000012345678901",
    "phone": "13987654321",
}
ENTERPRISE, EXPERT = "宿州植标精细化工有限公司", "周吴郑王"
ADDRESS, WORDS = "胜利路植标小区七栋四零四室", "植标伤者家属陈述"
CALLED = "13612345678"
"""A number somebody wrote into the report of a visit, which goes into letters word for word."""
NUMBER = 7
IN_LETTERS = frozenset({"enterprise", "credit code", "e-mail", "expert", "place", "words", "called"})
"""What a letter to an office or an enterprise may say of the enterprise, its hazards, the visit and who found them."""
LINKS = re.compile(r"http://\S+")


@dataclass
class Traces:
    """Everything a run leaves outside the database, by where it was found."""

    planted: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    found: dict[str, bytes] = field(default_factory=dict)

    def hits(self) -> list[str]:
        """What of the planted is where, in whatever spelling."""
        return [
            f"{what} in {where}"
            for where, content in self.found.items()
            for what, value in self.planted.items()
            if any(spelling in content for spelling in _spellings(value))
        ]


def _spellings(value: str) -> Iterator[bytes]:
    """As it is, as JSON writes it, and as base64 does, wherever in the text it begins."""
    plain = value.encode()
    yield plain
    yield json.dumps(value)[1:-1].encode()
    for before in range(3):
        sealed = base64.b64encode(b"\0" * before + plain)
        yield sealed[4 if before else 0 : len(sealed) - 4]


@pytest.fixture
def sealed(ground: Ground) -> Ground:
    """The ground with payload keys."""
    keys = SecretStr(f"p1:{new_key()}")
    ground.settings = ground.settings.model_copy(update={"payload_keys": keys, "log_level": "debug"})
    return ground


@asynccontextmanager
async def running(ground: Ground, traces: Traces) -> AsyncIterator[str]:
    """Worker and web in processes of their own, every line of theirs kept; the address of the web server."""
    worker, web = (servant(name, ground.settings, sink=traces.lines.append) for name in ("worker", "web"))
    try:
        await worker.start()
        await web.start()
        yield web.url
        for one in (worker, web):
            for port, _ in one._ports():
                async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
                    traces.found[f"metrics of {one.name} {port}"] = (
                        await http.get(f"http://127.0.0.1:{port}/metrics")
                    ).content
    finally:
        for one in (worker, web):
            if one.child is not None:
                await one.die()


async def done(voice: Voice, path: str, body: Any) -> Any:
    told = await voice.post(path, body, uuid4().hex)
    if told.answers[-1] >= 400:
        raise Untold(f"{path}: {told.said}")
    return told.said


async def lived(ground: Ground, voice: Voice) -> str:
    """A policy with an expert and a hazard, a claim with a victim who is paid; the claim's path."""
    author, bodies = ground.author, ground.author._bodies
    name, today = f"F-{NUMBER:06d}", ground.author._today
    opened = {"terms": bodies_of_policy(today) | {"number": name, **LIMITS}, "insured": enterprise()}
    await done(voice, "/v1/policies", opened)
    policy = f"/v1/policies/{ids.policy_id(voice.id, name)}"
    await done(voice, f"{policy}/upload", bodies["upload"])
    await done(voice, f"{policy}/provider", {**bodies["provider"], "provider_name": EXPERT})
    await done(voice, f"{policy}/plan", bodies["plan"])
    await done(voice, f"{policy}/plan/confirmation", bodies["plan/confirmation"])
    visit = bodies["visits"] | {"summary": f"{WORDS}，{CALLED}", "place": ADDRESS}
    await done(voice, f"{policy}/visits", visit)
    told = report(author._today)
    accident = told["accident"] | {"place": ADDRESS, "happened": f"{PERSON['name']}受伤，{WORDS}"}
    await done(voice, f"{policy}/claims", {**told, "number": f"C-{NUMBER}", "accident": accident})
    claim = f"/v1/claims/{ids.claim_id(voice.id, f'C-{NUMBER}')}"
    ref = (await done(voice, f"{claim}/victims", {"employee": True, **PERSON}))["ref"]
    survey = {"facts_true": True, "liability_clear": True, "note": f"{PERSON['name']} {PERSON['identity_number']}"}
    await done(voice, f"{claim}/survey", survey)
    await done(voice, f"{claim}/assessment", {"lines": losses(ref)})
    await done(voice, f"{claim}/determination", {"covered": True, "note": WORDS})
    await done(voice, f"{claim}/payments", {**payment(ref), "number": f"Z-{NUMBER}"})
    await done(voice, f"{claim}/payments/approval", {"number": f"Z-{NUMBER}", "by_user": "U1002"})
    await author.paid(voice, claim, within=PATIENCE)
    return claim


def bodies_of_policy(today: Any) -> dict[str, Any]:
    from api.insurer.doors import application

    return application(today)["terms"]


def enterprise() -> dict[str, str]:
    return {"name": ENTERPRISE, "credit_code": credit_code(NUMBER), "email": "anquan@zhibiao.example"}


async def astray(voice: Voice, url: str, cookie: str, claim: str) -> None:
    """Whatever goes wrong with people's data in it: refused bodies, wrong tokens, odd addresses; and an operator."""
    bearer = {"Authorization": f"Bearer {voice.token}"}
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as http:
        for body in ({"employee": True, **PERSON, "extra": PERSON["name"]}, {"name": PERSON}):
            await http.post(f"{claim}/victims", json=body, headers={**bearer, "Idempotency-Key": uuid4().hex})
        await http.get(f"/v1/claims?q={PERSON['name']}&phone={PERSON['phone']}", headers=bearer)
        await http.get(f"/v1/{PERSON['bank_account']}", headers=bearer)
        await http.get("/v1/me", headers={"Authorization": f"Bearer {voice.token[:-2]}xx"})
        await http.get("/l/" + "x" * 43)
        await http.post("/enter/code", data={"insurer": voice.code, "credit_code": credit_code(NUMBER)})
        assert (await http.get("/operator", headers={"Cookie": cookie})).status_code == 200


async def operator(ground: Ground) -> tuple[str, str]:
    """The cookie of an operator who signed in, and the name of the cookie with it."""
    user = uuid4()
    admin = await asyncpg.connect(ground.database.admin)
    await admin.execute(
        "INSERT INTO users (id, kind, email, name, posts) VALUES ($1, $2, $3, '高工', $4)",
        user, ActorKind.OPERATOR.value, f"{user}@anze.example", [Post.OPERATOR.value],
    )  # fmt: skip
    await admin.close()
    async with ground.tools() as tools, tools.engine.begin() as connection:
        token, _ = await begin(tools, connection, CameBy.OIDC, {"user_id": user})
        return token, f"{cookie_name(tools)}={token}"


async def collect(ground: Ground, traces: Traces) -> None:
    """The engine's files, what its lists show, the lines of every process, and the addresses in mails."""
    traces.found["logs"] = "\n".join(traces.lines).encode()
    shown = [one async for one in ground.client.list_workflows()]
    attributes = [f"{one.id} {one.typed_search_attributes.search_attributes} {await one.memo()}" for one in shown]
    traces.found["ids and search attributes"] = "\n".join(attributes).encode()
    traces.found["mails"] = b"\n".join(part for mail in ground.mailbox.messages for part in _parts(mail.message))
    links = [link for mail in ground.mailbox.messages for link in LINKS.findall(mail.body())]
    assert any("/l/" in link for link in links)
    traces.found["addresses in mails"] = "\n".join(unquote(link) for link in links).encode()
    await ground.kill_temporal()
    assert ground.temporal.file is not None
    traces.found["Temporal's store"] = b"".join(
        file.read_bytes() for file in ground.temporal.file.parent.glob("temporal.db*")
    )


def _parts(message: EmailMessage) -> Iterator[bytes]:
    """Headers, texts, attachments; a workbook is a ZIP, of which every file is read."""
    yield "\n".join(f"{name}: {value}" for name, value in message.items()).encode()
    for part in message.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content
            if content.startswith(b"PK"):
                with ZipFile(BytesIO(content)) as book:
                    yield from (book.read(name) for name in book.namelist())


@pytest.mark.fault("P28")
@pytest.mark.slow_fault
async def test_no_planted_name_number_token_or_key_is_found_outside_the_database(sealed: Ground) -> None:
    ground, traces = sealed, Traces()
    ground.client = await Client.connect(ground.temporal.address, data_converter=converter(ground.settings))
    async with ground.voices() as (voice,), running(ground, traces) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as http:
            voice.http = http
            claim = await lived(ground, voice)
        session, cookie = await operator(ground)
        await astray(voice, url, cookie, claim)
        await until(lambda: len(ground.mailbox.messages) >= 3)
        tokens = {link.rpartition("/l/")[2] for mail in ground.mailbox.messages for link in LINKS.findall(mail.body())}
    told = {**PERSON, "enterprise": ENTERPRISE, "expert": EXPERT, "place": ADDRESS, "words": WORDS, "called": CALLED}
    told |= {"credit code": credit_code(NUMBER), "e-mail": "anquan@zhibiao.example", "API key": voice.token}
    told |= {"session": session, **{f"link {n}": one for n, one in enumerate(sorted(tokens)) if len(one) > 20}}
    for name in ("secret", "field_keys", "payload_keys"):
        told[name] = getattr(ground.settings, name).get_secret_value()
    traces.planted = told
    await collect(ground, traces)
    assert all(traces.found.values())
    assert [hit for hit in traces.hits() if not _rightly(hit)] == []
    traces.planted = {"id": f"claim/{voice.code}/C-{NUMBER}"}  # ids are there: we have looked in the right places
    assert {"id in Temporal's store", "id in ids and search attributes"} <= set(traces.hits())


def _rightly(hit: str) -> bool:
    """A letter tells whom it is about and carries its own link; of a victim, a key or a secret it tells nothing."""
    what, _, where = hit.partition(" in ")
    return (where in {"mails", "addresses in mails"} and what.startswith("link ")) or (
        where == "mails" and what in IN_LETTERS
    )


def test_a_leak_would_be_found_in_every_spelling() -> None:
    for content in ("x赵钱孙李", json.dumps("xy赵钱孙李"), base64.b64encode("abc赵钱孙李!".encode()).decode()):
        assert Traces({"name": PERSON["name"]}, [], {"there": content.encode()}).hits() == ["name in there"], content
