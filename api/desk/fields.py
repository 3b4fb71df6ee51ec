"""The fields of a form, read off the contract a form makes; labels and helps stand in data; no HTML here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from api.desk.words import Language
from api.pages import TEMPLATES
from models.contracts import vocabulary
from models.contracts.base import MONEY_PATTERN
from models.contracts.vocabulary import Word

LABELS: Path = TEMPLATES / "insurer" / "fields.yaml"
ATTACHMENT = "Attachment"
LONG_TEXT = 500  # characters; what may be longer is written in a box of several lines
MOST_DEEP = 4
"""Objects within objects; contracts hold no deeper ones."""


class Kind(StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    AREA = "area"
    DATE = "date"
    INSTANT = "instant"
    COUNT = "count"
    MONEY = "money"
    YES = "yes"
    """Must be answered yes or no."""
    TICK = "tick"
    MAYBE = "maybe"
    """Yes, no, or not known yet."""
    CHOICE = "choice"
    CHOICES = "choices"
    FILE = "file"
    FILES = "files"
    LINES = "lines"
    """Several short texts, one a line."""
    GROUP = "group"
    ROWS = "rows"


@dataclass(frozen=True)
class Field:
    """One field: its name within its object, how it is filled in, what belongs to it."""

    name: str
    owner: str
    """The contract it is a field of."""
    kind: Kind
    required: bool = False
    words: tuple[Word, ...] = ()
    fields: tuple["Field", ...] = ()
    """Of a group, or of each row."""
    default: object = None
    most: int | None = None
    """Characters of a text, rows of a list."""
    least: int | None = None

    @property
    def composed(self) -> bool:
        return self.kind in (Kind.GROUP, Kind.ROWS)


@dataclass(frozen=True)
class Said:
    """What stands beside a field."""

    label: str
    help: str = ""
    yes: str = ""
    no: str = ""


@cache
def fields_of(contract: type[BaseModel]) -> tuple[Field, ...]:
    """The fields of a contract in its own order."""
    schema = contract.model_json_schema()
    return _properties(schema, schema.get("$defs", {}), 0)


@cache
def _written() -> Mapping[str, Mapping[str, str]]:
    # every scalar is text here: `on` and `yes` are names of fields and answers, not truths
    return yaml.load(LABELS.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["fields"]  # noqa: S506


def _names(form: str, path: str, field: Field) -> tuple[str, ...]:
    return f"{form}.{path}", f"{field.owner}.{field.name}", field.name


def said(form: str, path: str, field: Field, language: Language) -> Said:
    """The words of a field: those of the form's own field first, then those of its contract, then of its name.

    A field without any words is shown by its name; a test asks for every one's words.
    """
    known = _written()
    found = next(
        (known[name] for name in _names(form, path, field) if name in known), {"zh": field.name, "en": field.name}
    )
    ending = "" if language is Language.CHINESE else "_en"
    label = found["zh"] if language is Language.CHINESE else found["en"]
    return Said(label, *(found.get(f"{part}{ending}", "") for part in ("help", "yes", "no")))


def _properties(schema: Mapping[str, Any], known: Mapping[str, Any], depth: int) -> tuple[Field, ...]:
    if depth > MOST_DEEP:
        raise ValueError(f"{schema['title']}: deeper than a form can be")
    needed = schema.get("required", ())
    return tuple(
        replace(_field(part, known, depth), name=name, owner=schema["title"], required=name in needed)
        for name, part in schema.get("properties", {}).items()
    )


def _field(part: Mapping[str, Any], known: Mapping[str, Any], depth: int) -> Field:
    """The kind of a field; its name and owner are put in by whoever knows them."""
    default, inner = part.get("default"), _without_null(part)
    if "$ref" in inner:
        return replace(_named(inner["$ref"].rpartition("/")[2], known, depth), default=default)
    if inner.get("type") == "array":
        return replace(_many(inner, known, depth), default=default)
    if inner.get("type") == "boolean":
        kind = Kind.TICK if default is False else Kind.MAYBE if "anyOf" in part else Kind.YES
        return Field("", "", kind, default=default)
    return _single(inner, default)


def _without_null(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a field is where it is there at all."""
    if "anyOf" in part:
        return next(one for one in part["anyOf"] if one.get("type") != "null")
    return part["allOf"][0] if "allOf" in part else part


def _named(name: str, known: Mapping[str, Any], depth: int) -> Field:
    schema = known[name]
    if name == ATTACHMENT:
        return Field("", "", Kind.FILE)
    if "enum" in schema:
        return Field("", "", Kind.CHOICE, words=_words(name))
    return Field("", "", Kind.GROUP, fields=_properties(schema, known, depth + 1))


def _words(name: str) -> tuple[Word, ...]:
    return tuple(getattr(vocabulary, name))


def _many(part: Mapping[str, Any], known: Mapping[str, Any], depth: int) -> Field:
    items, most = part["items"], part.get("maxItems")
    if "$ref" not in items:
        return Field("", "", Kind.LINES, most=most)
    one = _named(items["$ref"].rpartition("/")[2], known, depth)
    if one.kind is Kind.FILE:
        return Field("", "", Kind.FILES, most=most)
    if one.kind is Kind.CHOICE:
        return Field("", "", Kind.CHOICES, words=one.words, most=most)
    return Field("", "", Kind.ROWS, fields=one.fields, most=most)


def _single(part: Mapping[str, Any], default: object) -> Field:
    if part.get("type") == "integer":
        return Field("", "", Kind.COUNT, default=default, most=part.get("maximum"), least=part.get("minimum"))
    form = part.get("format")
    if form in ("date", "date-time"):
        return Field("", "", Kind.DATE if form == "date" else Kind.INSTANT, default=default)
    if part.get("pattern") == MONEY_PATTERN.pattern:
        return Field("", "", Kind.MONEY, default=default)
    longest = part.get("maxLength")
    return Field("", "", Kind.AREA if longest and longest > LONG_TEXT else Kind.TEXT, default=default, most=longest)


def is_list(fields: Iterable[Field], path: str) -> bool:
    """Whether a path (`accident.victims`) leads to a list of rows."""
    name, _, rest = path.partition(".")
    one = next((one for one in fields if one.name == name), None)
    return one is not None and (is_list(one.fields, rest) if rest else one.kind is Kind.ROWS)
