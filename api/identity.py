"""The identity provider as OpenID Connect knows it: where people are sent, and whom it vouches for; no row, no page."""

import hmac
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "ES256", "EdDSA", "Ed25519"]
"""Signatures with a key pair alone: with a shared secret, or none, anybody could have signed."""
TYPES = (None, "JWT")
"""What an id_token calls itself; an access token is `at+jwt`, a logout token `logout+jwt`."""
LEEWAY = 30  # seconds between two clocks
PATIENCE = 5.0  # seconds for one answer of the provider
SCOPE = "openid email profile"
LONGEST = 255
"""Characters of a subject (OpenID Connect Core, section 2)."""


class NotVouched(Exception):
    """The provider did not vouch for anybody; the text is for the record, not for the page."""


class Unreachable(Exception):
    """The provider cannot be asked now."""


@dataclass(frozen=True)
class Vouched:
    """Whom the provider vouches for. `email` is lower case, and empty unless the provider has verified it."""

    issuer: str
    subject: str
    email: str


@dataclass(frozen=True)
class Way:
    """One sign-in under way: what the provider is told, and what must come back; all of it from one secret seed."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def of(cls, secret: bytes, seed: str) -> "Way":
        return cls(*(_derived(secret, f"{part}:{seed}") for part in ("state", "nonce", "verifier")))


def _derived(secret: bytes, said: str) -> str:
    return urlsafe_b64encode(hmac.new(secret, f"way:{said}".encode(), sha256).digest()).rstrip(b"=").decode()


class IdentityProvider:
    """One provider, found by discovery at the first question; its keys are asked for again when one is unknown."""

    def __init__(self, issuer: str, client_id: str, client_secret: str) -> None:
        self.issuer, self.client_id = issuer, client_id
        self._client_secret = client_secret
        self._metadata: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None

    async def address_of(self, way: Way, returning: str) -> str:
        """Where the browser is sent, to come back to `returning`. Raises Unreachable."""
        metadata = await self._discovered()
        address = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self.client_id,
            "code",
            redirect_uri=returning,
            scope=SCOPE,
            state=way.state,
            nonce=way.nonce,
            code_challenge=create_s256_code_challenge(way.verifier),
            code_challenge_method="S256",
        )
        return str(address)

    async def vouches_for(self, code: str, way: Way, returning: str, now: datetime) -> Vouched:
        """Whom it vouches for, in exchange for the code. Raises NotVouched and Unreachable."""
        endpoint = (await self._discovered())["token_endpoint"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": returning}
        form["code_verifier"] = way.verifier
        ourselves = httpx.BasicAuth(quote(self.client_id, safe=""), quote(self._client_secret, safe=""))
        try:
            async with _client() as http:
                answer = await http.post(endpoint, data=form, auth=ourselves)
                token = answer.json()
        except (httpx.HTTPError, ValueError) as lost:
            raise Unreachable(type(lost).__name__) from None
        if answer.is_server_error:
            raise Unreachable(f"token: {answer.status_code}")
        if answer.is_error or not isinstance(token, dict):
            raise NotVouched(f"token: {answer.status_code}")
        return _vouched(await self._claims(token, way, now))

    async def leaving(self, returning: str) -> str | None:
        """Where one leaves the provider too, if it offers that."""
        try:
            metadata = await self._discovered()
        except Unreachable:
            return None
        address = metadata.get("end_session_endpoint")
        wanted = [("client_id", self.client_id), ("post_logout_redirect_uri", returning)]
        return str(add_params_to_uri(address, wanted)) if address else None

    async def _claims(self, token: Mapping[str, Any], way: Way, now: datetime) -> Mapping[str, Any]:
        """The id_token's claims: signed by a key of the provider, for us, for this sign-in, now. Raises NotVouched."""
        written = token.get("id_token")
        if not isinstance(written, str):
            raise NotVouched("no id_token")
        try:
            found = await self._verified(written)
            if found.header.get("typ") not in TYPES:
                raise NotVouched(f"typ: {str(found.header['typ'])[:20]}")
            claims = CodeIDToken(
                found.claims,
                found.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self.client_id},
                    "nonce": {"essential": True, "value": way.nonce},
                },
                {"nonce": way.nonce, "client_id": self.client_id, "access_token": token.get("access_token")},
            )
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError) as refused:
            raise NotVouched(f"id_token: {type(refused).__name__}") from None
        return claims

    async def _verified(self, written: str) -> jwt.Token:
        keys = self._keys or await self._fetched_keys()
        try:
            return _decoded(written, keys)
        except InvalidKeyIdError:  # the provider may have changed its keys since
            return _decoded(written, await self._fetched_keys())

    async def _discovered(self) -> Mapping[str, Any]:
        metadata = self._metadata
        if metadata is None:
            metadata = await _fetched(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if metadata.get("issuer") != self.issuer or not all(isinstance(metadata.get(one), str) for one in needed):
                raise Unreachable("discovery")
            self._metadata = metadata
        return metadata

    async def _fetched_keys(self) -> KeySet:
        found = await _fetched((await self._discovered())["jwks_uri"])
        try:
            self._keys = KeySet.import_key_set(found)  # pyright: ignore[reportArgumentType] - as the provider gave it
        except (JoseError, ValueError, KeyError, TypeError) as broken:
            raise Unreachable(f"keys: {type(broken).__name__}") from None
        return self._keys


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=PATIENCE, trust_env=False, headers={"Accept": "application/json"})


def _decoded(written: str, keys: KeySet) -> jwt.Token:
    with warnings.catch_warnings():
        # RFC 9864 renamed EdDSA to Ed25519; providers still write the old name of the same signature
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.decode(written, keys, algorithms=ALGORITHMS)


async def _fetched(address: str) -> Any:
    try:
        async with _client() as http:
            answer = await http.get(address)
            answer.raise_for_status()
            found = answer.json()
    except (httpx.HTTPError, ValueError) as lost:
        raise Unreachable(type(lost).__name__) from None
    if not isinstance(found, dict):
        raise Unreachable("not an object")
    return found


def _vouched(claims: Mapping[str, Any]) -> Vouched:
    subject, email = claims["sub"], claims.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST:
        raise NotVouched("sub")
    # a Kelvin sign is a small k in lower case: another's mailbox, and not the address anybody was registered by
    verified = claims.get("email_verified") is True and isinstance(email, str) and email.isascii()
    return Vouched(str(claims["iss"]), subject, str(email).strip().lower() if verified else "")
