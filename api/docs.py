"""The page for people who build against the API: every operation, one in full; what is told of each is told.py's."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.pages import PAGES
from api.possible import NEVER
from api.told import answers, body, example, parameters
from api.words import REFUSALS, ProblemCode

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request, show: str = "") -> HTMLResponse:
    """Every operation of the description, by tag, and one of them in full; needs no script and nothing from elsewhere.

    `show` is the id of an operation, or `codes`: all of them at once would be three hundred kilobytes.
    """
    schema: dict[str, Any] = request.app.openapi()
    schemas, shared = schema["components"]["schemas"], schema["components"]["responses"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            entry: dict[str, Any] = {**operation, "path": path, "method": method.upper()}
            if operation["operationId"] == show:
                entry |= {"parameters": parameters(operation), "body": body(operation, schemas)}
                entry |= {"answers": answers(operation, shared), "example": example(operation)}
            groups.setdefault(operation["tags"][0], []).append(entry)
    said = {tag["name"]: tag["description"] for tag in schema["tags"]}
    codes = [one for one in ProblemCode if one not in NEVER]
    told = {"groups": groups, "said": said, "about": schema["info"], "codes": codes, "refusals": REFUSALS}
    page = PAGES.get_template("api/docs.html.j2").render(show=show, **told)
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})
