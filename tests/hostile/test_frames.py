"""Every address, by every method, as page and as program: no answer without its headers, no refusal out of form."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from api.authorization import PLACE, doors
from tests.authorization.framed import lacking, untold
from tests.authorization.test_cross_product import address
from tests.authorization.world import PAGES, World

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


@pytest.mark.parametrize("part", ["bytes=abc", "bytes=9-2", "bytes=99999999-", "bytes=0-0,2-3,-5", "bytes=0-99"])
async def test_a_file_is_given_out_whole_whatever_part_of_it_is_asked_for(world: World, part: str) -> None:
    digest = world.holdings["own"].ids["digest"]
    for actor, path in ((None, "/static/api.css"), ("insurer_key", f"/v1/files/{digest}")):
        bearer = {"Authorization": f"Bearer {world.actors[actor].bearer}"} if actor else {}
        answer, whole = [await world.http.get(path, headers=bearer | more) for more in ({"Range": part}, {})]
        assert (answer.status_code, answer.content) == (200, whole.content), path
        assert lacking(answer) == []
        assert "accept-ranges" not in answer.headers


@pytest.mark.parametrize("charset", ["idna", "undefined", "unicode_escape", "utf-7", '"utf-8"; charset=idna', "gbk"])
async def test_a_form_in_letters_that_are_not_ours_is_refused_in_words(world: World, charset: str) -> None:
    """The parser knows every codec there is: what some make of a field no page can show and no hash can take."""
    fields = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n\\ud800..\r\n'
        for name in ("language", "next", "_token", "code")
    )
    sent = PAGES | {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}
    for path in ("/language", "/leave", "/enter/code", f"/l/{world.holdings['own'].ids['link']}"):
        answer = await world.http.post(path, content=f"{fields}--x--\r\n", headers=sent)
        assert answer.status_code == 415, path
        assert lacking(answer) + untold(answer, as_page=True) == [], path


async def test_what_is_no_address_is_none_of_ours(world: World) -> None:
    for origin in ("http://[", "http://[::1", "http://a]b"):
        for path in ("/language", "/enter/code", "/leave", f"/l/{world.holdings['own'].ids['link']}"):
            answer = await world.http.post(path, headers={"Accept": "text/html", "Origin": origin, "Referer": origin})
            assert answer.status_code == 403, (path, origin)
            assert lacking(answer) + untold(answer, as_page=True) == [], path


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
