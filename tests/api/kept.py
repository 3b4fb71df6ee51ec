"""What /v1 has promised to those who built on it; `python -m tests.api.kept` writes down what was added since."""

from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI

from api.app import assemble
from api.tools import Budgets

PROMISED = Path(__file__).with_name("kept_v1.yaml")
JSON = "application/json"
NEEDED = "!"
"""Behind the kind of what has to be sent."""
Schema = Mapping[str, Any]


def promises(description: Schema) -> dict[str, dict[str, Any]]:
    """Operations with what they take and give, schemas with the kind of each field, lists of words."""
    schemas = description["components"]["schemas"]
    return {
        "operations": {
            f"{method.upper()} {path}": _operation(operation)
            for path, item in description["paths"].items()
            if path.startswith("/v1/")
            for method, operation in item.items()
        },
        "schemas": {name: _fields(one) for name, one in schemas.items() if "properties" in one},
        "words": {name: list(one["enum"]) for name, one in schemas.items() if "enum" in one},
    }


def broken(before: Schema, now: Schema) -> Iterator[str]:
    """What somebody relied on and no longer can. What was added breaks nobody, unless it has to be sent."""
    for part in ("operations", "schemas"):
        for name, was in before[part].items():
            there = now[part].get(name)
            if there is None:
                yield f"{name} is gone"
                continue
            yield from (f"{name}.{key} was {kind}" for key, kind in was.items() if _differs(kind, there.get(key)))
            yield from (f"{name} needs {key}" for key in there.keys() - was.keys() if there[key].endswith(NEEDED))
    for name, words in before["words"].items():
        yield from (f"{name} lost {word}" for word in words if word not in now["words"].get(name, ()))


def _differs(was: str, now: str | None) -> bool:
    """What had to be sent may be left out now, and not the other way round."""
    return now is None or now not in {was, was.removesuffix(NEEDED)}


def _operation(operation: Schema) -> dict[str, str]:
    body = operation.get("requestBody", {}).get("content", {}).get(JSON)
    good = next(one for status, one in operation["responses"].items() if status.startswith("2"))
    answer = good.get("content", {}).get(JSON)
    told = {"(name)": operation["operationId"], "(gives)": _kind(answer["schema"]) if answer else "file"}
    told |= {"(body)": _kind(body["schema"])} if body else {}
    return told | {
        one["name"]: _kind(one["schema"]) + (NEEDED if one.get("required") else "")
        for one in operation.get("parameters", ())
    }


def _fields(schema: Schema) -> dict[str, str]:
    """Only what refuses unknown fields is sent by others; what must be sent is marked there."""
    sent = schema.get("additionalProperties") is False
    needed = schema.get("required", ()) if sent else ()
    return {name: _kind(one) + (NEEDED if name in needed else "") for name, one in schema["properties"].items()}


def _kind(part: Schema) -> str:
    options = [one for one in part.get("anyOf", ()) if one.get("type") != "null"]
    inner = options[0] if options else part
    if inner.get("type") == "array":
        return f"{_kind(inner.get('items', {}))}[]"
    return inner.get("$ref", "").rpartition("/")[2] or str(inner.get("format") or inner.get("type", "any"))


def unserved() -> FastAPI:
    """An application that nothing runs behind."""
    return assemble(asynccontextmanager(lambda app: iter(())), Budgets(), date(2026, 11, 22))  # type: ignore[arg-type]


def known() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(PROMISED.read_text(encoding="utf-8"))


if __name__ == "__main__":
    found = promises(unserved().openapi())
    if lost := list(broken(known(), found)) if PROMISED.exists() else []:
        raise SystemExit("\n".join(lost))
    PROMISED.write_text(yaml.safe_dump(found, allow_unicode=True, width=200), encoding="utf-8")
