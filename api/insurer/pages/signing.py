"""The names behind the numbers money steps are signed with; the numbers stay on record, and are made in visits.py."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from api.callers import Entry
from api.rows import USERS
from api.written import id_of

MARK = "U"


async def signers(entry: Entry, view: Mapping[str, Any]) -> dict[str, str]:
    """By the number as it stands in a claim: who it is. People of one name are told apart by their address.

    What a core system signed with is its own, and is left out.
    """
    numbers = {
        signed["by_user"]
        for payment in view.get("payments", ())
        for signed in (payment.get("proposed"), payment.get("approved"))
        if signed
    }
    known = {user: number for number in numbers if (user := _user(number))}
    if not known:
        return {}
    asked = select(USERS.c.id, USERS.c.name, USERS.c.email).where(USERS.c.id.in_(known))
    found = (await entry.connection.execute(asked)).all()
    often = Counter(one.name for one in found)
    return {known[one.id]: f"{one.name} {one.email}" if often[one.name] > 1 else one.name for one in found}


def _user(number: str) -> UUID | None:
    return id_of(number[len(MARK) :]) if number[: len(MARK)].upper() == MARK else None
