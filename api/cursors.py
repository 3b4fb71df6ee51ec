"""Where a page of a list ended: a signed token bound to its reader and its filters. No SQL here."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from pydantic import BaseModel

from api.problems import Problem
from api.words import ProblemCode

SIGNATURE_BYTES = 16
Place = tuple[datetime, UUID]


class Cursors:
    """Cursors of one reader over one list with one set of filters."""

    def __init__(self, secret: bytes, owner: UUID, about: str, query: BaseModel) -> None:
        filters = query.model_dump_json(exclude={"cursor", "limit"})
        self._key = hmac.new(secret, f"cursor\n{owner}\n{about}\n{filters}".encode(), sha256).digest()

    def write(self, at: datetime, row_id: UUID) -> str:
        body = json.dumps([at.isoformat(), str(row_id)]).encode()
        return urlsafe_b64encode(self._sign(body) + body).rstrip(b"=").decode()

    def read(self, cursor: str | None) -> Place | None:
        """The place a cursor names; Problem 422 when it is broken or another reader's or another list's."""
        if cursor is None:
            return None
        try:
            raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
            if not hmac.compare_digest(signature, self._sign(body)):
                raise Problem(ProblemCode.BAD_CURSOR)
            at, row_id = json.loads(body)
            return datetime.fromisoformat(at), UUID(row_id)
        except ValueError:
            raise Problem(ProblemCode.BAD_CURSOR) from None

    def _sign(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, sha256).digest()[:SIGNATURE_BYTES]
