"""Every address, by every method, as page and as program: no answer without its headers, no refusal out of form."""

from collections.abc import Iterator
from dataclasses import replace

from api.authorization import PLACE, doors
from tests.authorization.framed import lacking, untold
from tests.authorization.test_cross_product import address
from tests.authorization.world import World

NOWHERE = ("/nowhere", "/v1/nowhere", "/v1", "/static", "/static/api.css", "/static/nowhere.css", "/openapi.json")
METHODS = ("GET", "HEAD", "POST", "TRACE")
A_YEAR = "max-age=31536000; includeSubDomains"


def addresses(world: World) -> Iterator[str]:
    own = world.holdings["own"].ids
    yield from NOWHERE
    yield from sorted({address(door.name, own) or PLACE.sub("x", door.path) for door in doors(world.app.routes)})


async def test_no_answer_to_a_stranger_is_without_its_headers_or_out_of_form(world: World) -> None:
    before, wrong, seen = await world.rows(), list[str](), set[int]()
    for path in addresses(world):
        for method in METHODS:
            answer = await world.http.request(method, path, headers={"Accept": "text/html"})
            said = lacking(answer) + untold(answer, as_page=not path.startswith("/v1/"))
            said += [f"{answer.status_code}"] if answer.status_code >= 500 and path != "/enter/oidc" else []
            wrong += [f"{method} {path}: {said}"] if said else []
            seen.add(answer.status_code)
    assert wrong == []
    assert {200, 303, 400, 401, 404, 405} <= seen, "every kind of answer was looked at"
    assert await world.rows() == before


async def test_a_program_is_told_on_an_address_of_pages_as_everywhere(world: World) -> None:
    asked = (("GET", "/nowhere"), ("TRACE", "/"), ("OPTIONS", "/"), ("GET", "/static/no"), ("DELETE", "/operator"))
    for method, path in asked:
        answer = await world.http.request(method, path, headers={"Accept": "application/json"})
        assert answer.status_code in (404, 405), path
        assert lacking(answer) + untold(answer, as_page=False) == [], path


async def test_where_people_come_by_tls_every_answer_says_so_for_a_year(world: World) -> None:
    asked = (("GET", "/"), ("GET", "/v1/me"), ("GET", "/static/api.css"), ("OPTIONS", "/codec/decode"), ("GET", "/no"))
    try:
        for base, told in (("https://anze.gov.example", A_YEAR), ("http://127.0.0.1:8080", None)):
            world.app.state.tools = replace(world.tools, base_url=base)
            for method, path in asked:
                answer = await world.http.request(method, path)
                assert lacking(answer) == [], path
                assert answer.headers.get("strict-transport-security") == told, (path, base)
    finally:
        world.app.state.tools = world.tools
