"""A form and its contract: what was typed becomes a body, files are stored first, errors stand beside their fields."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as Upload

from api import files
from api.amounts import ungrouped
from api.callers import Entry
from api.desk.fields import Field, Kind, fields_of, is_list, said
from api.desk.shown import Shown, flat, nearest, places
from api.desk.words import Language
from api.problems import Problem
from api.tools import Tools
from api.words import ProblemCode
from models.contracts.base import Attachment

MORE, LESS = "_more", "_less"
"""Buttons that add a row to a list and take its last one away; they are sent instead of the form's own."""
KEPT = ".kept"
BEIJING = "+08:00"
LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?")
WHOLE = re.compile(r"-?\d{1,12}", re.ASCII)
ANSWERS = {"true": True, "false": False}
Options = Mapping[str, Sequence[tuple[str, str]]]
Looked = Sequence[tuple[str, files.Acceptable]]  # files that may be kept, with their fields


@dataclass(frozen=True)
class Form:
    """A form on its way to a page: its fields with what was typed, what is wrong, and what there is to choose from.

    `options` gives choices for fields whose values only the case knows (`lines.person`), `fixed` what is not asked.
    """

    contract: type[BaseModel]
    language: Language
    body: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.contract.__name__

    @property
    def shown(self) -> tuple[Shown, ...]:
        return tuple(self._shown(fields_of(self.contract), self.body, "", ""))

    @property
    def general(self) -> str:
        """What is wrong with the whole, or with a part that has no field of its own."""
        named = set(places(self.shown))
        return "；".join(dict.fromkeys(why for path, why in self.errors.items() if path not in named))

    @property
    def sends_files(self) -> bool:
        return any(one.field.kind in (Kind.FILE, Kind.FILES) for one in flat(self.shown))

    def wrong(self, errors: Mapping[str, str]) -> "Form":
        return replace(self, errors=nearest(errors, set(places(self.shown))))

    def _shown(self, fields: Sequence[Field], body: Mapping[str, Any], path: str, pattern: str) -> Iterator[Shown]:
        for one in fields:
            here, kind = f"{path}{one.name}", f"{pattern}{one.name}"
            if here not in self.fixed:
                yield self._one(one, body.get(one.name), here, kind)

    def _one(self, one: Field, value: Any, path: str, pattern: str) -> Shown:
        parts: tuple[tuple[Shown, ...], ...] = ()
        if one.kind is Kind.GROUP:
            parts = (tuple(self._shown(one.fields, value or {}, f"{path}.", f"{pattern}.")),)
        if one.kind is Kind.ROWS:
            filled = value or ([{}] if one.required else [])
            parts = tuple(
                tuple(self._shown(one.fields, row, f"{path}.{number}.", f"{pattern}."))
                for number, row in enumerate(filled)
            )
        words = said(self.name, pattern, one, self.language)
        rows = tuple(self.errors.get(f"{path}.{at}", "") for at in range(len(parts))) if one.kind is Kind.ROWS else ()
        return Shown(one, path, words, value, self.errors.get(path, ""), self.options.get(pattern, ()), parts, rows)


def read(contract: type[BaseModel], form: FormData, stored: Mapping[str, list[dict[str, str]]]) -> dict[str, Any]:
    """The body a form makes: what was left empty is left out. `stored` are attachments by field."""
    body = _object(fields_of(contract), form, "", stored) or {}
    return _resized(body, form, fields_of(contract))


def kept(form: FormData) -> dict[str, list[dict[str, str]]]:
    """Files that an earlier sending stored, by field. Raises Problem 422."""
    found: dict[str, list[dict[str, str]]] = {}
    for name, value in form.multi_items():
        if name.endswith(KEPT) and isinstance(value, str):
            found.setdefault(name.removesuffix(KEPT), []).append(_again(value))
    return found


def brings_files(form: FormData) -> bool:
    return any(isinstance(value, Upload) and value.filename for _, value in form.multi_items())


async def looked_at(tools: Tools, form: FormData) -> Looked:
    """Every file of a form that may be kept, by field; outside any transaction. Raises Problem 413, 422 or 503."""
    found: list[tuple[str, files.Acceptable]] = []
    for name, value in form.multi_items():
        if isinstance(value, Upload) and value.filename:
            named, content = files.display_name(value.filename), await value.read(tools.budgets.file + 1)
            found.append((name, await files.looked_at(tools, (named, value.content_type or ""), content)))
    return found


async def store(entry: Entry, insurer_id: UUID, looked: Looked, form: FormData) -> dict[str, list[dict[str, str]]]:
    """What was looked at, kept under its digest, by field, after what an earlier sending stored. Raises Problem."""
    found = kept(form)
    for name, file in looked:
        await files.store(entry.tools, entry.connection, insurer_id, file)
        found.setdefault(name, []).append(file.attachment.model_dump())
    return found


def _again(written: str) -> dict[str, str]:
    """A file of an earlier sending, as the page wrote it down; whether it is this insurer's is asked at admission."""
    try:
        return Attachment.model_validate_json(written).model_dump()
    except ValidationError:
        raise Problem(ProblemCode.UNKNOWN_FILE) from None


def wants_rows(form: FormData) -> bool:
    """Whether a button was pressed that only changes the number of rows."""
    return MORE in form or LESS in form


def _object(
    fields: Sequence[Field], form: FormData, prefix: str, stored: Mapping[str, list[dict[str, str]]]
) -> dict[str, Any] | None:
    """An object of what was filled in, `None` where nothing was beyond what a form shows by itself."""
    found: dict[str, Any] = {}
    told = False
    for one in fields:
        value = _value(one, form, f"{prefix}{one.name}", stored)
        if value is None:
            continue
        found[one.name] = value
        told = told or value != (False if one.kind is Kind.TICK else one.default)
    return found if told else None


def _value(one: Field, form: FormData, name: str, stored: Mapping[str, list[dict[str, str]]]) -> Any:
    if one.kind is Kind.GROUP:
        return _object(one.fields, form, f"{name}.", stored) or ({} if one.required else None)
    if one.kind is Kind.ROWS:
        return _rows(one, form, name, stored) or None
    if one.kind is Kind.FILES:
        return stored.get(name) or None
    if one.kind is Kind.FILE:
        return next(reversed(stored.get(name, [])), None)
    if one.kind is Kind.CHOICES:
        return [str(value) for value in form.getlist(name) if value] or None
    if one.kind is Kind.TICK:
        return name in form
    if one.kind is Kind.LINES:
        return [
            line.strip() for value in form.getlist(name) for line in str(value).splitlines() if line.strip()
        ] or None
    return _single(one.kind, str(form.get(name) or "").strip())


def _single(kind: Kind, written: str) -> Any:
    """What stands for a scalar; what cannot be read is passed on as it is, so that the contract says what is wrong."""
    if not written:
        return None
    if kind in (Kind.YES, Kind.MAYBE):
        return ANSWERS.get(written, written)
    if kind is Kind.COUNT:
        return int(written) if WHOLE.fullmatch(written) else written
    if kind is Kind.MONEY:
        return ungrouped(written.removesuffix("元").strip())
    if kind is Kind.INSTANT:
        return f"{written}{BEIJING}" if LOCAL.fullmatch(written) else written
    return written


def _rows(one: Field, form: FormData, name: str, stored: Mapping[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    sent = _sent(name, (*form.keys(), *stored))
    rows = (_object(one.fields, form, f"{name}.{number}.", stored) for number in sent)
    return [row for row in rows if row is not None]


def _resized(body: dict[str, Any], form: FormData, fields: Sequence[Field]) -> dict[str, Any]:
    """One row more or less of the list a button names, counted by the rows that were on the page."""
    for button, change in ((MORE, 1), (LESS, -1)):
        path = str(form.get(button) or "")
        if is_list(fields, path):
            wanted = max(len(_sent(path, form)) + change, 0)
            rows = list(_at(body, path))[:wanted]
            _put(body, path, [*rows, *({} for _ in range(wanted - len(rows)))])
    return body


def _sent(path: str, names: Iterable[str]) -> list[int]:
    """The numbers of the rows that were sent."""
    row = re.compile(rf"{re.escape(path)}\.(\d{{1,3}})\.")
    return sorted({int(found[1]) for name in names if (found := row.match(name))})


def _at(body: Mapping[str, Any], path: str) -> Sequence[Any]:
    value: Any = body
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value or ()


def _put(body: dict[str, Any], path: str, rows: list[Any]) -> None:
    *above, last = path.split(".")
    for part in above:
        body = body.setdefault(part, {})
    body[last] = rows
