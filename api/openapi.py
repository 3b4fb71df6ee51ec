"""The OpenAPI 3.1 description: what FastAPI derives, with our problems, our key, and Chinese and English words."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.doors import REPLAYED
from api.problems import MEDIA_TYPE, ProblemDocument
from api.words import ABOUT, TITLE, ProblemCode

PROBLEM = "ProblemDocument"
SCHEMA = {"$ref": f"#/components/schemas/{PROBLEM}"}
DROPPED = ("HTTPValidationError", "ValidationError")
EVERYWHERE = (401, 403, 429, 431, 500, 503)
WITH_BODY = (400, 409, 413, 415, 422)


def describe(app: FastAPI) -> None:
    """Make `/openapi.json` ours; it is built once."""

    def build() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _schema(app)
        return app.openapi_schema

    app.openapi = build


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=TITLE, version="v1", description=ABOUT, routes=app.routes)
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in DROPPED:
        schemas.pop(name, None)
    nested = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(nested.pop("$defs", {}))
    schemas[PROBLEM] = nested
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "anze_…"}}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            _complete(path, method, operation)
    return schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    if not path.startswith("/v1/"):
        return
    operation["security"] = [{"key": []}]
    statuses = {*EVERYWHERE, 404, 422, *(WITH_BODY if method in {"post", "put"} else ())}
    for status in sorted(statuses):
        responses[str(status)] = _problem(status)
    if method == "post":
        _require_key(operation)
        for status in ("200", "201"):
            if status in responses:
                responses[status]["headers"] = {REPLAYED: {"schema": {"type": "string", "enum": ["true"]}}}


def _problem(status: int) -> dict[str, Any]:
    codes = [code for code in ProblemCode if code.status == status]
    said = "；".join(f"{code.label} / {code.english}" for code in codes)
    answer: dict[str, Any] = {"description": said, "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
    if status in {429, 503}:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return answer


def _require_key(operation: dict[str, Any]) -> None:
    """The header is read leniently, so that its absence is our problem and not a validator's; yet it is required."""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "Idempotency-Key":
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
