"""The six digits mailed to a registered address: made again from one secret and the letter, kept nowhere."""

import hashlib
import hmac
from uuid import UUID

DIGITS = 6


def code_of(secret: bytes, letter_id: UUID) -> str:
    """The code in an asked letter. 64 bits reduced to six digits: no code is likelier than another by 1 in 10¹³."""
    mac = hmac.new(secret, f"code:{letter_id}".encode(), hashlib.sha256).digest()
    return str(int.from_bytes(mac[:8], "big") % 10**DIGITS).zfill(DIGITS)


def is_code(secret: bytes, letter_id: UUID, typed: str) -> bool:
    """Compared in constant time; spaces, which people type and paste, do not count."""
    return hmac.compare_digest(code_of(secret, letter_id).encode(), "".join(typed.split()).encode())
