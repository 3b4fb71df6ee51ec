"""Short-lived signed cookies of people who are still coming in: what they asked for, or what they may choose among."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import Row

from api.desk.sessions import LASTS as SIGN_IN_LASTS
from api.desk.sessions import cookie_name, form_token
from api.identity import Vouched
from api.tools import Tools
from models.contracts.vocabulary import ActorKind, CameBy

LASTS = timedelta(minutes=10)
FOR_OPERATORS = timedelta(minutes=10)
"""How old the provider's word may be where somebody becomes an operator, who sees the cases of every insurer."""
SIGNATURE_BYTES = 32
LONGEST_ADDRESS = 1000
"""Bytes of the page that was asked for, beside an identity; a cookie stays below 4096."""


@dataclass(frozen=True)
class Slip:
    """One kind of such a cookie, by its name."""

    name: str

    def hand_out(self, tools: Tools, response: Response, said: dict[str, Any]) -> None:
        """Lax, because people come back from the identity provider's page."""
        body = json.dumps(said | {"until": (tools.now() + LASTS).isoformat()}).encode()
        written = urlsafe_b64encode(self._sign(tools, body) + body).rstrip(b"=").decode()
        secure = tools.base_url.startswith("https:")
        response.set_cookie(
            self._cookie(tools),
            written,
            max_age=int(LASTS.total_seconds()),
            secure=secure,
            httponly=True,
            samesite="lax",
        )

    def read(self, tools: Tools, request: Request) -> dict[str, Any] | None:
        """What was said, if it is ours and not too old."""
        written = request.cookies.get(self._cookie(tools), "")
        try:
            raw = urlsafe_b64decode(written + "=" * (-len(written) % 4))
        except ValueError:
            return None
        signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(tools, body)):
            return None
        said: dict[str, Any] = json.loads(body)
        return said if datetime.fromisoformat(said["until"]) > tools.now() else None

    def take_back(self, tools: Tools, response: Response) -> None:
        secure = tools.base_url.startswith("https:")
        response.delete_cookie(self._cookie(tools), secure=secure, httponly=True, samesite="lax")

    def _cookie(self, tools: Tools) -> str:
        return f"{cookie_name(tools)}-{self.name}"

    def _sign(self, tools: Tools, body: bytes) -> bytes:
        return hmac.new(tools.secret, f"slip:{self.name}:".encode() + body, sha256).digest()


CHOICE = Slip("choice")


@dataclass(frozen=True)
class Choice:
    """Somebody the provider has vouched for, who has not said yet for which organisation; it begins one session.

    `ends` is when the sign-in is over whatever is chosen, `wanted` the page that was asked for. All of it lies in the
    cookie of the browser it is about, signed; which organisations there are is looked up each time.
    """

    id: UUID
    vouched: Vouched
    ends: datetime
    wanted: str = ""

    @property
    def vouched_at(self) -> datetime:
        """When the provider gave its word: what is chosen ends the same time after it, however often one chooses."""
        return self.ends - SIGN_IN_LASTS[CameBy.OIDC]

    def lets_into(self, user: Row[Any], now: datetime) -> bool:
        """Whether that word still counts for this membership: not after its sessions were ended by somebody."""
        if user.sessions_ended_at is not None and user.sessions_ended_at >= self.vouched_at:
            return False
        return user.kind is not ActorKind.OPERATOR or now - self.vouched_at <= FOR_OPERATORS

    def form_token(self, secret: bytes) -> str:
        """What the page of this choosing carries."""
        return form_token(secret, f"choice {self.id}")

    def hand_out(self, tools: Tools, response: Response) -> None:
        said = {"id": str(self.id), **asdict(self.vouched), "ends": self.ends.isoformat()}
        wanted = self.wanted if len(json.dumps(self.wanted)) <= LONGEST_ADDRESS else ""
        CHOICE.hand_out(tools, response, said | {"next": wanted})

    @classmethod
    def read(cls, tools: Tools, request: Request) -> "Choice | None":
        """What this browser may choose among, if anything, and if it is not too late."""
        said = CHOICE.read(tools, request)
        if said is None or datetime.fromisoformat(said["ends"]) <= tools.now():
            return None
        vouched = Vouched(said["issuer"], said["subject"], said["email"])
        return cls(UUID(said["id"]), vouched, datetime.fromisoformat(said["ends"]), said["next"])
