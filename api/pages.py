"""A small page for people who build against the API: the list of routes; the codes are told in api/desk/front.py."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
PAGES = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
POLICY = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Every operation of the description, by tag; needs no script and nothing from elsewhere."""
    schema: dict[str, Any] = request.app.openapi()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            entry = {"path": path, "method": method.upper(), "example": _example(operation), **operation}
            groups.setdefault(operation["tags"][0], []).append(entry)
    return _page("api/docs.html.j2", groups=groups, about=schema["info"])


def _example(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    shown = content.get("application/json", {}).get("examples", {})
    return shown["example"]["value"] if shown else None


def _page(name: str, **values: Any) -> HTMLResponse:
    return HTMLResponse(PAGES.get_template(name).render(**values), headers={"Content-Security-Policy": POLICY})
