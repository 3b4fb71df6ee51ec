"""A small page for people who build against the API: the list of routes; the codes are told in api/desk/front.py."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.possible import NEVER
from api.told import answers, body, example, parameters
from api.words import REFUSALS, ProblemCode

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
PAGES = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Every operation of the description, by tag; needs no script and nothing from elsewhere."""
    schema: dict[str, Any] = request.app.openapi()
    schemas, shared = schema["components"]["schemas"], schema["components"]["responses"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            told = {"parameters": parameters(operation), "body": body(operation, schemas)}
            told |= {"answers": answers(operation, shared), "example": example(operation)}
            entry = {**operation, **told, "path": path, "method": method.upper()}
            groups.setdefault(operation["tags"][0], []).append(entry)
    said = {tag["name"]: tag["description"] for tag in schema["tags"]}
    codes = [one for one in ProblemCode if one not in NEVER]
    return _page("api/docs.html.j2", groups=groups, said=said, about=schema["info"], codes=codes, refusals=REFUSALS)


def _page(name: str, **values: Any) -> HTMLResponse:
    return HTMLResponse(PAGES.get_template(name).render(**values), headers={"Content-Security-Policy": POLICY})
