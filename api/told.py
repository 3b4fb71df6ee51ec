"""The description of the API as rows for its page: parameters, fields of bodies, codes of answers; no HTML here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JSON = "application/json"
MOST_DEEP = 3
"""Objects within objects that are told field by field; what lies deeper has its own name in /openapi.json."""
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class FieldRow:
    """One field or parameter: where it stands, of what kind it is, whether it must be there, what it means."""

    path: str
    kind: str
    needed: bool
    said: str


@dataclass(frozen=True)
class AnswerRow:
    """One status with what it means, one meaning a line."""

    status: str
    said: tuple[str, ...]


def parameters(operation: Schema) -> list[FieldRow]:
    return [
        FieldRow(
            one["name"], _kind(one.get("schema", {}), {}), bool(one.get("required")), str(one.get("description", ""))
        )
        for one in operation.get("parameters", ())
    ]


def body(operation: Schema, schemas: Schema) -> list[FieldRow]:
    """The fields of a JSON body, those of objects within it after the object."""
    content = operation.get("requestBody", {}).get("content", {})
    return list(_fields(content[JSON]["schema"], schemas, "", MOST_DEEP)) if JSON in content else []


def answers(operation: Schema, shared: Schema) -> list[AnswerRow]:
    """What refuses, by status; of what is answered otherwise the schema in /openapi.json tells."""
    named = {status: one["$ref"].rpartition("/")[2] for status, one in operation["responses"].items() if "$ref" in one}
    refusing = {status: shared[name] for status, name in named.items()}
    return [
        AnswerRow(status, tuple(line.removeprefix("* ").replace("`", "") for line in one["description"].split("\n")))
        for status, one in refusing.items()
    ]


def example(operation: Schema) -> Any:
    shown = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("examples", {})
    return shown["example"]["value"] if shown else None


def _fields(part: Schema, schemas: Schema, at: str, depth: int) -> Iterator[FieldRow]:
    schema = _object(part, schemas)
    needed = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        path = f"{at}{name}"
        inner = _without_null(one)
        many = inner.get("type") == "array"
        yield FieldRow(path, _kind(one, schemas), name in needed, str(one.get("description", "")))
        if depth > 1:
            yield from _fields(inner["items"] if many else inner, schemas, f"{path}{'[]' if many else ''}.", depth - 1)


def _object(part: Schema, schemas: Schema) -> Schema:
    return schemas.get(part["$ref"].rpartition("/")[2], {}) if "$ref" in part else part


def _without_null(part: Schema) -> Schema:
    options = [one for one in part.get("anyOf", ()) if one.get("type") != "null"]
    return options[0] if options else part


def _kind(part: Schema, schemas: Schema) -> str:
    inner = _without_null(part)
    if inner.get("type") == "array":
        return f"{_kind(inner.get('items', {}), schemas)}[]"
    named = inner.get("$ref", "").rpartition("/")[2]
    words = _object(inner, schemas).get("enum")
    if words:
        return " | ".join(str(word) for word in words)
    return named or str(inner.get("format") or inner.get("type", ""))
