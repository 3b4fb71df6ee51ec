"""What the pages of API keys have in common: what is typed of a new key, how one is rotated or ended; no route."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Row, select
from starlette.datastructures import FormData

from api.audit import Origin
from api.desk.acting import Misfilled
from api.desk.frame import Visit
from api.entrance.forms import typed
from api.keys import KeyAct, KeyFor, mint_key, revoke_key, rotate_key
from api.problems import not_found
from api.rows import API_KEYS
from api.words import Scope
from domain import wording
from models.contracts.base import Name, Strict
from models.contracts.ids import NAMESPACE
from models.contracts.vocabulary import ActorKind

OVERLAPS = (0, 1, 7, 30)
"""Days an old key goes on beside its successor."""
LASTING = (30, 90, 180, 365)
"""Days a key is made for; one that never expires is made on the server alone."""
SOON = timedelta(days=30)
ROTATE, REVOKE = "rotate", "revoke"


class NewKey(Strict):
    """What is typed about a new key; its scopes and days are ticked and chosen."""

    name: Name


@dataclass(frozen=True)
class Changed:
    """What became of a key: the token of its successor, shown once; or it has ended; or a form came a second time."""

    fresh: str = ""
    revoked: bool = False


async def made(visit: Visit, form: FormData, holder: KeyFor) -> str:
    """The token of a new key of this holder; nothing where this form has made it before. Raises Misfilled.

    Of `holder` the name, the end, the id and the further rights, which only insurers' keys have, are the form's.
    """
    asked = replace(holder, **_said(visit, form), id=_id_of(visit, form))
    if holder.kind is not ActorKind.INSURER:
        asked = replace(asked, scopes=())
    if await _row(visit, API_KEYS.c.id == asked.id):
        return ""
    return (await mint_key(visit.entry.connection, asked, _act(visit))).token


async def changed_key(visit: Visit, form: FormData, key_id: UUID, of: ColumnElement[bool]) -> Changed:
    """Rotate or end a live key among `of`; 404 for every other. Raises Misfilled for days that were not offered."""
    key = await _row(visit, (API_KEYS.c.id == key_id) & of)
    if key is None or key.revoked_at is not None:
        raise not_found()
    if form.get("act") == REVOKE:
        await revoke_key(visit.entry.connection, key, _act(visit))
        return Changed(revoked=True)
    if form.get("act") != ROTATE:
        return Changed()
    until, new_id = visit.entry.tools.now() + chosen_days(form, "overlap", OVERLAPS), _id_of(visit, form)
    if await _row(visit, API_KEYS.c.id == new_id):
        return Changed()
    return Changed((await rotate_key(visit.entry.connection, key, until, _act(visit), new_id)).token)


def chosen_days(form: FormData, name: str, allowed: Sequence[int]) -> timedelta:
    """One of the numbers of days that were offered. Raises Misfilled; the sentence, with the numbers, is the page's."""
    given = str(form.get(name) or "")
    if given not in {str(one) for one in allowed}:
        raise Misfilled({name: ""})
    return timedelta(days=int(given))


def about_keys(keys: Sequence[Row[Any]], now: datetime) -> dict[str, Any]:
    """What the pieces of templates/entrance/keys.html.j2 need; `fresh` and the errors are the page's."""
    shown = {"keys": keys, "states": {key.id: _state(key, now) for key in keys}, "scopes": list(Scope)}
    return shown | {"days": LASTING, "overlaps": OVERLAPS, "day": wording.instant}


BLANK: dict[str, Any] = {"key_errors": {}, "key_typed": {}, "fresh": "", "overlap_at": None}
"""Of a page of keys where no form was refused and no key was made just now; `overlap_at` had days nobody offered."""


def _said(visit: Visit, form: FormData) -> dict[str, Any]:
    """Name, end and scopes, or everything that is wrong with them at once. Raises Misfilled."""
    said: dict[str, Any] = {"scopes": tuple(one.value for one in Scope if one.value in form.getlist("scopes"))}
    errors: dict[str, str] = {}
    try:
        said["name"] = typed(NewKey, form).name
    except Misfilled as wrong:
        errors |= wrong.errors
    try:
        said["expires_at"] = visit.entry.tools.now() + chosen_days(form, "days", LASTING)
    except Misfilled as wrong:
        errors |= wrong.errors
    if errors:
        raise Misfilled(errors)
    return said


def _id_of(visit: Visit, form: FormData) -> UUID:
    """The same key however often the form is sent."""
    return uuid5(NAMESPACE, f"key/{visit.caller.user_id}/{form.get('_once')}")


def _act(visit: Visit) -> KeyAct:
    return KeyAct(visit.caller.actor, Origin.of(visit.request))


async def _row(visit: Visit, condition: ColumnElement[bool]) -> Row[Any] | None:
    return (await visit.entry.connection.execute(select(API_KEYS).where(condition))).one_or_none()


def _state(key: Row[Any], now: datetime) -> str:
    """live, ending (within thirty days), over, or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None or key.expires_at > now + SOON:
        return "live"
    return "ending" if key.expires_at > now else "over"
