"""The development identity service: a real OpenID provider on 127.0.0.1 where one chooses who to be; for development.

It speaks authorization code with PKCE to one client, and asks for no password: whoever reaches it can be anybody.
"""

import asyncio
import hmac
import json
import os
import secrets
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import uvicorn
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from jinja2 import Environment, FileSystemLoader
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet
from starlette.applications import Starlette
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from runtime.embedded.guest import Guest
from runtime.embedded.ports import LOOPBACK, require_free
from runtime.settings import PROJECT_ROOT

ALGORITHM = "ES256"
CODE_LASTS, TOKEN_LASTS = 60, 300  # seconds
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Identity:
    """Somebody one can choose to be; `organisation` and `post` only tell people apart on the page."""

    subject: str
    name: str
    email: str
    organisation: str = ""
    post: str = ""
    email_verified: bool = True


@dataclass(frozen=True)
class Client:
    """The one application it serves, and where that may be returned to."""

    id: str
    secret: str
    returning: str
    left: str


@dataclass(frozen=True)
class Grant:
    """A code that was given out and not yet exchanged."""

    who: Identity
    nonce: str
    challenge: str
    until: float


class IdentityServer:
    """A small web server in our own event loop; its signing key is made at the first start and kept in `folder`."""

    def __init__(self, folder: Path, port: int, people: Sequence[Identity], client: Client) -> None:
        self.port, self.client = port, client
        self.people = {one.subject: one for one in people}
        self.key: Key = _kept_key(folder / "identity-key.json")
        self._grants: dict[str, Grant] = {}
        templates = FileSystemLoader(PROJECT_ROOT / "templates")
        self._templates = Environment(loader=templates, autoescape=True, trim_blocks=True)
        self._server: Guest | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def issuer(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        await require_free(self.port, "身份服务", "ANZE_IDENTITY_PORT")
        routes = [
            Route("/", self._about),
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/jwks", self._jwks),
            Route("/authorize", self._authorize, methods=["GET", "POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/userinfo", self._userinfo),
            Route("/end_session", self._end_session),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), host=LOOPBACK, port=self.port, log_config=None, access_log=False, lifespan="off"
        )
        self._server = Guest(config)
        self._serving = asyncio.create_task(self._server.serve(), name="identity")
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await asyncio.wait([self._serving], timeout=2)

    def id_token(self, grant: Grant, access_token: str) -> str:
        """Who was chosen, for this client and this sign-in."""
        who, now = grant.who, int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": who.subject,
            "aud": self.client.id,
            "iat": now,
            "exp": now + TOKEN_LASTS,
            "nonce": grant.nonce,
            **_profile(who),
        }
        return self.signed(claims, typ="JWT")

    def access_token(self, who: Identity) -> str:
        """For this provider's own userinfo, and nothing else."""
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": who.subject, "aud": self.issuer, "client_id": self.client.id}
        return self.signed(claims | {"iat": now, "exp": now + TOKEN_LASTS, "scope": "openid"}, typ="at+jwt")

    def signed(self, claims: Mapping[str, Any], typ: str) -> str:
        algorithm = self.key.alg or ALGORITHM
        return jwt.encode({"alg": algorithm, "kid": self.key.kid, "typ": typ}, dict(claims), self.key, [algorithm])

    async def _about(self, request: Request) -> Response:
        return self._page("about")

    async def _discovery(self, request: Request) -> Response:
        places = {"authorization": "authorize", "token": "token", "userinfo": "userinfo", "end_session": "end_session"}
        known = {
            "issuer": self.issuer,
            **{f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in places.items()},
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": ["openid", "email", "profile"],
        }
        return JSONResponse(known)

    async def _jwks(self, request: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def _authorize(self, request: Request) -> Response:
        """Everybody there is to choose from; the choice comes back as a code of one minute."""
        asked = request.query_params
        if asked.get("client_id") != self.client.id or asked.get("redirect_uri") != self.client.returning:
            return self._page("refused", 400)  # nobody is sent to an address that is not known
        wrong = _wrong(asked)
        if wrong:
            return self._returned(asked, error=wrong)
        if request.method == "GET":
            return self._page("choose", people=_by_organisation(self.people.values()), query=request.url.query)
        async with request.form() as form:
            who = self.people.get(str(form.get("subject") or ""))
        return (
            self._returned(asked, code=self._granted(who, asked))
            if who
            else self._returned(asked, error="access_denied")
        )

    def _granted(self, who: Identity, asked: QueryParams) -> str:
        code = secrets.token_urlsafe(32)
        until = time.monotonic() + CODE_LASTS
        self._grants[code] = Grant(who, asked.get("nonce", ""), asked["code_challenge"], until)
        return code

    def _returned(self, asked: QueryParams, **said: str) -> Response:
        query = urlencode({**said, "state": asked.get("state", "")})
        return RedirectResponse(f"{self.client.returning}?{query}", 303, headers=HEADERS)

    async def _token(self, request: Request) -> Response:
        async with request.form() as form:
            if not self._is_client(request, form):
                return JSONResponse({"error": "invalid_client"}, 401)
            grant = self._grants.pop(str(form.get("code") or ""), None)
            if grant is None or not self._fits(grant, form):
                return JSONResponse({"error": "invalid_grant"}, 400)
        access = self.access_token(grant.who)
        told = {"access_token": access, "token_type": "Bearer", "expires_in": TOKEN_LASTS}
        return JSONResponse(told | {"id_token": self.id_token(grant, access)}, headers={"Cache-Control": "no-store"})

    def _fits(self, grant: Grant, form: FormData) -> bool:
        verifier = str(form.get("code_verifier") or "")
        return (
            time.monotonic() < grant.until
            and form.get("grant_type") == "authorization_code"
            and form.get("redirect_uri") == self.client.returning
            and hmac.compare_digest(create_s256_code_challenge(verifier), grant.challenge)
        )

    def _is_client(self, request: Request, form: FormData) -> bool:
        known, given = (
            (self.client.id, self.client.secret),
            (str(form.get("client_id")), str(form.get("client_secret"))),
        )
        scheme, _, written = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            name, _, secret = b64decode(written).decode().partition(":")
            given = (unquote(name), unquote(secret))
        return hmac.compare_digest("\n".join(known), "\n".join(given))

    async def _userinfo(self, request: Request) -> Response:
        written = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(written, self.key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return JSONResponse({"error": "invalid_token"}, 401)
        who = self.people.get(claims["sub"]) if claims.get("aud") == self.issuer else None
        live = who is not None and claims["exp"] > time.time()
        return JSONResponse({"sub": who.subject, **_profile(who)} if who and live else {"error": "invalid_token"},
                            200 if live else 401)  # fmt: skip

    async def _end_session(self, request: Request) -> Response:
        """There is nothing to forget: it never remembers who was chosen."""
        if request.query_params.get("post_logout_redirect_uri") == self.client.left:
            return RedirectResponse(self.client.left, 303, headers=HEADERS)
        return self._page("about")

    def _page(self, name: str, status: int = 200, **values: object) -> Response:
        html = self._templates.get_template(f"identity/{name}.html.j2").render(values)
        return HTMLResponse(html, status, headers=HEADERS)


def _wrong(asked: QueryParams) -> str:
    """What is missing from a request for a code, as the standard calls it; nothing without PKCE."""
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in asked.get("scope", "").split():
        return "invalid_scope"
    pkce = asked.get("code_challenge_method") == "S256" and asked.get("code_challenge")
    return "" if pkce else "invalid_request"


def _profile(who: Identity) -> dict[str, object]:
    return {"name": who.name, "email": who.email, "email_verified": who.email_verified}


def _by_organisation(people: Sequence[Identity] | Any) -> dict[str, list[Identity]]:
    grouped: dict[str, list[Identity]] = {}
    for one in people:
        grouped.setdefault(one.organisation, []).append(one)
    return grouped


def _kept_key(path: Path) -> ECKey:
    """The key of an earlier start, so that a sign-in under way survives a restart; else a new one."""
    if path.exists():
        return ECKey.import_key(json.loads(path.read_text()))
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(key.as_dict(private=True), file)
    return key
