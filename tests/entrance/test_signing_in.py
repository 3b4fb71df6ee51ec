"""Signing in at a real OpenID provider, end to end: who comes in, who is bound, what every attack gets."""

import asyncio
import hmac
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from json import dumps
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, OKPKey, RSAKey
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from api.desk.front import local
from api.desk.sessions import begin, hash_of
from api.identity import IdentityProvider
from api.rows import SESSIONS, USERS
from api.tools import Tools
from models.contracts.vocabulary import CameBy, Post
from tests.api.conftest import Caller
from tests.entrance.conftest import Browser, Provider, new_user, returned


@pytest.fixture
async def ann(insurer: Caller, admin: AsyncEngine) -> Any:
    return await new_user(admin, insurer.id, "ann@firm.example", Post.INSURER_HANDLER)


async def refusals(admin: AsyncEngine) -> list[str]:
    async with admin.connect() as connection:
        rows = await connection.execute(text("SELECT said->>'why' FROM audit WHERE what = 'sign_in_failed'"))
        return list(rows.scalars())


async def test_whoever_is_registered_comes_in_by_the_verified_address_and_is_bound_to_the_subject(
    browser: Browser, provider: Provider, ann: Any, admin: AsyncEngine, insurer: Caller
):
    answer = await browser.sign_in("s-ann")
    assert (answer.status_code, answer.headers["location"]) == (303, "/insurer")
    async with admin.connect() as connection:
        user = (await connection.execute(select(USERS).where(USERS.c.id == ann))).one()
        session = (await connection.execute(select(SESSIONS))).one()
        noted = (await connection.execute(text("SELECT who_id, chain FROM audit WHERE what = 'signed_in'"))).one()
    assert (user.issuer, user.subject) == (provider.issuer, "s-ann")
    assert (session.user_id, session.came_by) == (ann, CameBy.OIDC)
    assert session.token_hash == hash_of(browser.cookie or "")
    assert (noted.who_id, noted.chain) == (str(ann), insurer.id)
    assert (await browser.http.get("/")).headers["location"] == "/insurer"


async def test_afterwards_only_the_subject_counts_whoever_has_the_address(
    browser: Browser, provider: Provider, ann: Any, admin: AsyncEngine
):
    await browser.sign_in("s-ann")
    provider.claims = {"email": "other@firm.example"}
    assert (await browser.sign_in("s-ann")).status_code == 303
    provider.claims = {"sub": "s-heir", "email": "ann@firm.example"}
    assert (await browser.sign_in("s-ann")).status_code == 403
    assert await refusals(admin) == ["unknown"]


async def test_the_provider_is_asked_for_a_code_with_proof_state_and_nonce(browser: Browser, provider: Provider):
    asked = parse_qs(urlsplit(await browser.set_out()).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert all(len(asked[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert "openid" in asked["scope"][0].split()
    again = parse_qs(urlsplit(await browser.set_out()).query)
    assert all(asked[name] != again[name] for name in ("state", "nonce", "code_challenge"))


async def test_posts_are_ours_whatever_the_provider_claims(browser: Browser, provider: Provider, ann: Any):
    provider.claims = {"roles": ["insurer_admin", "operator"], "posts": ["insurer_admin"], "groups": ["admins"]}
    await browser.sign_in("s-ann")
    assert "机构管理员" not in (await browser.http.get("/insurer")).text
    assert (await browser.http.get("/operator")).status_code in (403, 404)


@pytest.mark.parametrize("subject", ["s-new", "s-eve"])
async def test_an_unregistered_person_and_an_unverified_address_are_told_so_and_put_on_record(
    browser: Browser, ann: Any, admin: AsyncEngine, subject: str
):
    answer = await browser.sign_in(subject)
    assert answer.status_code == 403
    assert ("没有登记" if subject == "s-new" else "没有经过核实") in answer.text
    assert browser.cookie is None
    assert await refusals(admin) == ["unknown" if subject == "s-new" else "unverified"]
    async with admin.connect() as connection:
        assert (await connection.execute(select(USERS.c.subject))).scalars().all() == [None]


async def test_an_address_that_only_looks_like_a_registered_one_is_nobodys(
    browser: Browser, provider: Provider, admin: AsyncEngine, insurer: Caller
):
    """The Kelvin sign is a small k in lower case, and the mailbox behind it somebody else's."""
    await new_user(admin, insurer.id, "kim@firm.example", Post.INSURER_ADMIN)
    provider.claims = {"sub": "s-kelvin", "email": "\u212aim@firm.example"}
    assert (await browser.sign_in("s-ann")).status_code == 403
    provider.claims = {"sub": "s-kim", "email": "Kim@firm.example"}
    assert (await browser.sign_in("s-ann")).status_code == 303


async def test_a_disabled_user_is_not_let_in_and_loses_a_running_session_with_the_next_request(
    browser: Browser, ann: Any, admin: AsyncEngine
):
    await browser.sign_in("s-ann")
    async with admin.begin() as connection:
        await connection.execute(update(USERS).values(disabled_at=datetime.now(UTC)))
    assert (await browser.http.get("/")).status_code == 200
    answer = await browser.sign_in("s-ann")
    assert answer.status_code == 403
    assert "已停用" in answer.text


async def test_a_state_that_is_not_this_browsers_brings_nobody_in(browser: Browser, ann: Any, admin: AsyncEngine):
    said = await browser.choose(await browser.set_out(), "s-ann")
    for state in ("", "wrong", said["state"][:-1], said["state"] + "A"):
        answer = await browser.come_back(said | {"state": state})
        assert answer.status_code == 400, state
        browser.http.cookies.clear()
    assert (await browser.come_back(said)).status_code == 400, "without the cookie the right state is worth nothing"
    assert set(await refusals(admin)) == {"not_from_here"}


async def test_somebody_elses_sign_in_cannot_be_slipped_into_a_browser(
    browser: Browser, app: FastAPI, ann: Any, admin: AsyncEngine
):
    """Login CSRF: the attacker's own code and state, opened in the victim's browser that set out by itself."""
    theirs = await browser.choose(await browser.set_out(), "s-ann")
    browser.http.cookies.clear()
    await browser.set_out()
    assert (await browser.come_back(theirs)).status_code == 400


async def test_a_code_works_once_also_for_the_browser_that_kept_its_cookie(browser: Browser, ann: Any):
    said = await browser.choose(await browser.set_out(), "s-ann")
    kept = dict(browser.http.cookies)
    assert (await browser.come_back(said)).status_code == 303
    browser.http.cookies.clear()
    for name, value in kept.items():
        browser.http.cookies.set(name, value)
    answer = await browser.come_back(said)
    assert answer.status_code == 403
    assert browser.cookie is None


async def test_a_code_is_worth_nothing_without_the_proof_of_who_asked_for_it(browser: Browser, provider: Provider):
    said = await browser.choose(await browser.set_out(), "s-ann")
    form = {"grant_type": "authorization_code", "code": said["code"], "redirect_uri": provider.client.returning}
    ourselves = (provider.client.id, provider.client.secret)
    for proof in ({}, {"code_verifier": "A" * 43}):
        answer = await browser.outside.post(f"{provider.issuer}/token", data=form | proof, auth=ourselves)
        assert answer.json() == {"error": "invalid_grant"}


async def test_the_provider_gives_no_code_without_a_challenge(browser: Browser, provider: Provider):
    address = (await browser.set_out()).replace("code_challenge=", "no_challenge=")
    said = returned(await browser.outside.get(address))
    assert said["error"] == "invalid_request"
    assert (await browser.come_back(said)).status_code == 403


def by_hand(header: dict[str, Any], claims: dict[str, Any], key: bytes = b"") -> str:
    """As an attacker writes it, whom no library holds back: unsigned, or with a key everybody knows."""
    body = ".".join(_b64(dumps(one).encode()) for one in (header, claims))
    return f"{body}.{_b64(hmac.digest(key, body.encode(), 'sha256')) if key else ''}"


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


HOUR = int(timedelta(hours=1).total_seconds())
NOW = int(datetime.now(UTC).timestamp())
LIES: dict[str, dict[str, Any]] = {
    "for another client": {"aud": "somebody-else"},
    "for us and another, by the other": {"aud": ["anze", "somebody-else"], "azp": "somebody-else"},
    "from another issuer": {"iss": "http://127.0.0.1:1"},
    "expired": {"exp": NOW - HOUR},
    "without an end": {"exp": None},
    "not valid yet": {"nbf": NOW + HOUR},
    "made in the future": {"iat": NOW + HOUR},
    "without a birth": {"iat": None},
    "of another sign-in": {"nonce": "another"},
    "without a nonce": {"nonce": None},
    "about nobody": {"sub": None},
    "about the empty one": {"sub": ""},
    "of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    browser: Browser, provider: Provider, ann: Any, admin: AsyncEngine, lie: str
):
    provider.claims = LIES[lie]
    answer = await browser.sign_in("s-ann")
    assert answer.status_code == 403, lie
    assert browser.cookie is None
    assert await refusals(admin) == ["not_vouched"]


async def test_an_id_token_nobody_or_somebody_else_signed_is_refused(
    browser: Browser, provider: Provider, ann: Any, admin: AsyncEngine
):
    await browser.sign_in("s-ann")
    claims = provider.said
    other = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True, auto_kid=True)
    assert isinstance(provider.key, ECKey)
    public = provider.key.as_pem(private=False)
    for forged in (
        lambda said: by_hand({"alg": "none", "typ": "JWT"}, said),
        lambda said: by_hand({"alg": "None"}, said, b"any"),
        lambda said: jwt.encode({"alg": "ES256", "kid": other.kid}, said, other),
        lambda said: jwt.encode({"alg": "ES256", "kid": provider.key.kid}, said, other),
        lambda said: by_hand({"alg": "HS256", "kid": provider.key.kid}, said, public),
        lambda said: by_hand({"alg": "HS256"}, said, provider.client.secret.encode()),
        lambda said: "not.a.token",
        lambda said: "",
    ):
        browser.http.cookies.clear()
        address = await browser.set_out()
        nonce = parse_qs(urlsplit(address).query)["nonce"][0]
        provider.written = forged({**claims, "nonce": nonce})
        answer = await browser.come_back(await browser.choose(address, "s-ann"))
        assert answer.status_code == 403, provider.written
        assert browser.cookie is None


async def test_an_access_token_or_a_token_that_calls_itself_another_kind_is_no_id_token(
    browser: Browser, provider: Provider, ann: Any
):
    provider.says_access_token = True
    assert (await browser.sign_in("s-ann")).status_code == 403
    provider.says_access_token = False
    for kind in ("at+jwt", "logout+jwt", "secevent+jwt"):
        provider.typ = kind
        assert (await browser.sign_in("s-ann")).status_code == 403, kind
    provider.typ = "JWT"
    assert (await browser.sign_in("s-ann")).status_code == 303


async def test_keys_the_provider_changed_since_are_asked_for_again(browser: Browser, provider: Provider, ann: Any):
    assert (await browser.sign_in("s-ann")).status_code == 303
    provider.key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True, auto_kid=True)
    assert (await browser.sign_in("s-ann")).status_code == 303


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA", "Ed25519"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_every_algorithm_of_the_list_is_understood(
    browser: Browser, provider: Provider, ann: Any, algorithm: str
):
    said: KeyParameters = {"use": "sig", "alg": algorithm}
    provider.key = (
        RSAKey.generate_key(2048, said, private=True, auto_kid=True)
        if algorithm == "RS256"
        else OKPKey.generate_key("Ed25519", said, private=True, auto_kid=True)
    )
    assert (await browser.sign_in("s-ann")).status_code == 303


@pytest.mark.parametrize("algorithm", ["RS512", "PS256", "ES384"])
async def test_other_algorithms_are_refused_though_the_key_is_the_providers(
    browser: Browser, provider: Provider, ann: Any, algorithm: str
):
    said: KeyParameters = {"use": "sig", "alg": algorithm}
    provider.key = (
        ECKey.generate_key("P-384", said, private=True, auto_kid=True)
        if algorithm == "ES384"
        else RSAKey.generate_key(2048, said, private=True, auto_kid=True)
    )
    assert (await browser.sign_in("s-ann")).status_code == 403


async def test_a_clock_may_be_wrong_by_seconds_and_not_by_minutes(browser: Browser, provider: Provider, ann: Any):
    provider.claims = {"iat": NOW + 3, "nbf": NOW + 3}
    assert (await browser.sign_in("s-ann")).status_code == 303
    provider.claims = {"nbf": int(datetime.now(UTC).timestamp()) + 120}
    assert (await browser.sign_in("s-ann")).status_code == 403


async def test_a_provider_that_says_no_or_is_away_is_told_in_words(
    browser: Browser, provider: Provider, app: FastAPI, tools: Tools
):
    said = await browser.choose(await browser.set_out(), "")
    assert said["error"] == "access_denied"
    assert (await browser.come_back(said)).status_code == 403
    await provider.stop()
    for identity in (IdentityProvider(provider.issuer, "anze", "x" * 20), None):
        app.state.tools = replace(tools, identity=identity)
        answer = await browser.http.get("/enter/oidc")
        assert answer.status_code == 503
        assert "暂时无法使用" in answer.text


async def test_a_provider_that_calls_itself_otherwise_is_not_the_one_that_was_set(
    browser: Browser, provider: Provider, app: FastAPI, tools: Tools
):
    app.state.tools = replace(tools, identity=IdentityProvider(f"{provider.issuer}/", "anze", "x" * 20))
    assert (await browser.http.get("/enter/oidc")).status_code == 503


async def test_a_new_token_at_every_sign_in_and_the_old_one_is_worthless(
    browser: Browser, tools: Tools, ann: Any, admin: AsyncEngine
):
    """Session fixation: what an attacker planted, or had earlier, opens nothing afterwards."""
    async with tools.engine.begin() as connection:
        planted, _ = await begin(tools, connection, CameBy.OIDC, {"user_id": ann})
    browser.http.cookies.set("anze", planted, domain="anze.test", path="/")
    await browser.sign_in("s-ann")
    assert browser.cookie not in (None, planted)
    async with admin.connect() as connection:
        ended = select(SESSIONS.c.revoked_at).where(SESSIONS.c.token_hash == hash_of(planted))
        assert (await connection.execute(ended)).scalar_one() is not None


@pytest.mark.parametrize("base", ["https://anze.gov.example", "http://127.0.0.1:8080"])
async def test_cookies_are_bound_to_host_and_transport_and_hidden_from_scripts(
    browser: Browser, provider: Provider, app: FastAPI, tools: Tools, ann: Any, base: str
):
    app.state.tools = replace(tools, base_url=base)
    provider.client = replace(provider.client, returning=f"{base}/enter/callback")
    browser.http.base_url = base
    answer = await browser.http.get("/enter/oidc")
    way = answer.headers["set-cookie"]
    came = await browser.come_back(await browser.choose(answer.headers["location"], "s-ann"))
    session = next(one for one in came.headers.get_list("set-cookie") if "-way" not in one)
    for written in (way, session):
        assert len(written) < 4096
        assert "HttpOnly" in written
        assert "SameSite=lax" in written
        assert "Path=/" in written
        assert "Domain" not in written
        assert ("Secure" in written) == base.startswith("https:")
        assert written.startswith("__Host-anze" if base.startswith("https:") else "anze")
    assert "Max-Age=600" in way


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "http:evil.example",
     "javascript:0", "/\t/evil.example", "/\t\\evil.example", "/\r\n/evil", "evil", "//[", "/%0d%0aSet-Cookie:x=1\n", "http://[::1"],
)  # fmt: skip
async def test_nobody_is_sent_elsewhere_afterwards(browser: Browser, ann: Any, wanted: str):
    assert local(wanted) == "/"
    answer = await browser.sign_in("s-ann", wanted)
    assert answer.headers["location"] in ("/", "/insurer")


async def test_the_page_that_was_asked_for_is_shown_afterwards(browser: Browser, ann: Any):
    wanted = "/insurer/policies?stage=signed&text=中文"
    answer = await browser.sign_in("s-ann", wanted)
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"stage": ["signed"], "text": ["中文"]}


async def test_signing_in_at_the_same_moment_binds_one_identity(browser: Browser, provider: Provider, ann: Any,
                                                                admin: AsyncEngine):  # fmt: skip
    said = [await browser.choose(await browser.set_out(), "s-ann") for _ in range(3)]
    provider.claims = {}
    answers = await asyncio.gather(*(browser.come_back(one) for one in said))
    assert [one.status_code for one in answers].count(303) <= 1
    async with admin.connect() as connection:
        assert len((await connection.execute(select(USERS).where(USERS.c.subject.is_not(None)))).all()) <= 1
