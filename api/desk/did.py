"""What was done, told by the address one is led back to after a form: its words, and the way back; no page here."""

from fastapi import Request, Response

from api.desk.frame import back
from models.contracts.vocabulary import Word


class Did(Word):
    """What a register says after it was written to."""

    REGISTERED = "registered", "已登记。"
    CORRECTED = "corrected", "已更正。"
    REVOKED = "revoked", "已吊销。"


def back_after(done: str, address: str, part: str = "") -> Response:
    """Look at it after a form was carried out, at a part of it where one is named; the page is told what was done."""
    at = f"#{part}" if part else ""
    return back(f"{address}{'&' if '?' in address else '?'}done={done}{at}")


def did(request: Request) -> Did | None:
    """What this address says was done; what is no word of ours says nothing."""
    said = request.query_params.get("done", "")
    return Did(said) if said in set(Did) else None
