"""Who reads and who acts in the operators' room, and what its forms have in common."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends
from starlette.datastructures import FormData

from api.desk.acting import Misfilled
from api.desk.frame import Visit, visitor
from api.words import Reason

Reading = Annotated[Visit, Depends(visitor, scope="function")]


def until_of(form: FormData) -> datetime:
    """When the preview was made, as its form carries it. Raises Misfilled."""
    try:
        at = datetime.fromisoformat(str(form.get("until") or ""))
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    except ValueError:
        raise Misfilled({"until": Reason.INSTANT_PARSING.label}) from None


def text_of(form: FormData, name: str, longest: int = 200) -> str:
    return str(form.get(name) or "").strip()[:longest]
