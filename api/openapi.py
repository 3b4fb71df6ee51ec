"""The OpenAPI 3.1 description: what FastAPI derives, with our problems, our key, and Chinese and English words."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.described import about, keys_of, meaning, name_the_words, say_the_fields, tags
from api.doors import REPLAYED
from api.possible import Called, codes
from api.problems import API, MEDIA_TYPE, ProblemDocument
from api.words import REQUEST_ID_SAID, RETRY_AFTER_SAID, TITLE

PROBLEM = "ProblemDocument"
SCHEMA = {"$ref": f"#/components/schemas/{PROBLEM}"}
DROPPED = ("HTTPValidationError", "ValidationError")
EVERYWHERE = (400, 401, 403, 404, 422, 429, 431, 500, 503)
WITH_BODY = (409, 413, 415)
CODES = "x-codes"
"""Marks an answer that refuses, and lists what it may be refused with."""
REQUEST_ID = {"X-Request-Id": {"description": REQUEST_ID_SAID, "schema": {"type": "string"}}}
RETRY_AFTER = {"Retry-After": {"description": RETRY_AFTER_SAID, "schema": {"type": "integer", "minimum": 0}}}


def describe(app: FastAPI) -> None:
    """Make `/openapi.json` ours; it is built once."""

    def build() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _schema(app)
        return app.openapi_schema

    app.openapi = build


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=TITLE, version="v1", description=about(), routes=app.routes, tags=tags())
    schema["servers"] = [{"url": "/"}]
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in DROPPED:
        schemas.pop(name, None)
    nested = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(nested.pop("$defs", {}))
    schemas[PROBLEM] = nested
    name_the_words(schemas)
    say_the_fields(schemas)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "anze_…"}}
    shared: dict[str, Any] = components.setdefault("responses", {})
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            _complete(path, method, operation)
            _share(operation["responses"], shared)
    return schema


def _share(responses: dict[str, Any], shared: dict[str, Any]) -> None:
    """Many operations refuse alike: each such answer is told once."""
    for status, answer in responses.items():
        if CODES not in answer:
            continue
        alike = (name for name, known in shared.items() if known == answer)
        name = next(alike, f"problem_{status}_{sum(name.startswith(f'problem_{status}_') for name in shared) + 1}")
        shared[name] = answer
        responses[status] = {"$ref": f"#/components/responses/{name}"}


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    if not path.startswith(API):
        return
    operation["security"] = [{"key": []}]
    named, scope = keys_of(f"{method.upper()} {path}")
    operation["description"] = f"{operation.get('description', '')}\n\n{named}".strip()
    called = Called.of(path, method, operation, scope)
    for answer in responses.values():
        answer["headers"] = dict(REQUEST_ID)
    statuses = {*EVERYWHERE, *(WITH_BODY if method in {"post", "put"} else ())}
    for status in sorted(statuses):
        responses[str(status)] = _problem(status, codes(called, status))
    if method == "post":
        _require_key(operation)
        for status in ("200", "201"):
            if status in responses:
                responses[status]["headers"][REPLAYED] = {"schema": {"type": "string", "enum": ["true"]}}


def _problem(status: int, possible: list[str]) -> dict[str, Any]:
    """An answer that refuses, with every code it may carry here."""
    said = "\n".join(f"* `{code}` {' / '.join(meaning(code))}" for code in possible)
    headers = REQUEST_ID | (RETRY_AFTER if status in {429, 503} else {})
    content = {MEDIA_TYPE: {"schema": SCHEMA}}
    return {"description": said, "headers": headers, "content": content, CODES: possible}


def _require_key(operation: dict[str, Any]) -> None:
    """The header is read leniently, so that its absence is our problem and not a validator's; yet it is required."""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "Idempotency-Key":
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
