"""Two small pages for people who build against the API: the list of routes, and what a problem code means."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.problems import not_found
from api.words import REFUSALS, ProblemCode

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


@router.get("/problems/{code}")
async def problem(code: str) -> HTMLResponse:
    """What a code means and what to do; 404 for a code that no answer carries."""
    known = {one.value: (one.status, one.label, one.english, one.advice) for one in ProblemCode}
    known |= {name: (None, said, "", "") for name, said in REFUSALS.items() if name not in known}
    if code not in known:
        raise not_found()
    status, label, english, advice = known[code]
    return _page("api/problem.html.j2", code=code, status=status, label=label, english=english, advice=advice)


def _example(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    shown = content.get("application/json", {}).get("examples", {})
    return shown["example"]["value"] if shown else None


def _page(name: str, **values: Any) -> HTMLResponse:
    return HTMLResponse(PAGES.get_template(name).render(**values), headers={"Content-Security-Policy": POLICY})
