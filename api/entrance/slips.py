"""Short-lived signed cookies of people who are still coming in: what they asked for, nothing about who they are."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from fastapi import Request, Response

from api.desk.sessions import cookie_name
from api.tools import Tools

LASTS = timedelta(minutes=10)
SIGNATURE_BYTES = 32


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
