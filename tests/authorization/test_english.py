"""Whoever has switched reads English on every page: what stays Chinese is a name or what somebody wrote, marked so."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from api.authorization import load
from api.desk.words import COOKIE, Language
from domain.places import NAMES, full_region_name
from models.contracts.pack import Pack
from runtime.worker import library
from tests.authorization.test_cross_product import VISITORS, address, expected, names_an_object
from tests.authorization.world import Actor, World

STAYS = Path(__file__).with_name("stays_chinese.yaml")
READERS = sorted(name for name in VISITORS if not name.endswith("_key"))
PIECE = re.compile(r"<[^>]*>|[^<]+")
CHINESE = re.compile("[\u3400-\u9fff]")
SIGN = re.compile("[，。、；：（）]")
HEARD = re.compile(r"""\s(?:alt|aria-label|placeholder|title)="([^"]*)\"""")
BETWEEN = re.compile(r"[^\w〔〕《》-]+")
VOID = {"img", "input", "br", "hr", "meta", "link", "source", "col"}
NO_PAGE = re.compile(r"\.(xlsx|json)$|/evidence/|^/(health|version|static|enter/oidc|enter/callback|docs|problems)")
"""Files, what programs read, ways to the identity provider, two references that say all of it in both languages."""
TYPED = """
SELECT string_agg(DISTINCT said, E'\\n') FROM (
    SELECT name AS said FROM insurers UNION SELECT name FROM insureds UNION SELECT name FROM recipients
    UNION SELECT name FROM providers UNION SELECT department FROM recipients
    UNION SELECT name FROM users UNION SELECT name FROM api_keys
    UNION SELECT said FROM tasks
    UNION SELECT value #>> '{}' FROM audit, jsonb_path_query(audit.said, '$.**') value
        WHERE jsonb_typeof(value) = 'string'
    UNION SELECT value #>> '{}' FROM steps, jsonb_path_query(cause->'body'->'command', '$.**') value
        WHERE jsonb_typeof(value) = 'string'
) spoken
"""
"""What people typed and how they are called."""


def pieces(page: str) -> Iterator[tuple[str, bool, bool]]:
    """Every text and every attribute people hear, whether it is marked Chinese, and whether it is a record."""
    open_: list[tuple[str, bool, bool]] = []
    for found in PIECE.finditer(page):
        piece = found[0]
        marked, record = open_[-1][1:] if open_ else (False, False)
        if piece.startswith("</"):
            while open_ and open_.pop()[0] != re.split(r"[\s>]", piece[2:])[0]:
                pass
        elif piece.startswith("<!"):
            continue
        elif piece.startswith("<"):
            name = re.split(r"[\s/>]", piece[1:])[0]
            marked = ' lang="zh' in piece or (marked and ' lang="en"' not in piece)
            record = record or " data-record" in piece
            # an attribute cannot be marked in part; names may stand in it
            yield from ((unescape(said), marked or not SIGN.search(said), record) for said in HEARD.findall(piece))
            if name not in VOID and not piece.endswith("/>"):
                open_.append((name, marked, record))
        else:
            yield unescape(piece), marked, record


async def names(world: World) -> str:
    """Everything that may stay Chinese: names, numbers and clauses of notices, what people typed, the exceptions."""
    async with world.admin.connect() as connection:
        typed = (await connection.execute(text(TYPED))).scalar_one()
    packs = [yaml.safe_dump(list(cited(one.pack)), allow_unicode=True, width=10_000) for one in library().packs()]
    stays: list[str] = yaml.safe_load(STAYS.read_text(encoding="utf-8"))
    places = {full_region_name(code) for code in NAMES}
    calendars = [year.notice for year in library().calendar().years]
    return "\n".join([typed, *places, *packs, *calendars, *stays])


def cited(pack: Pack) -> Iterator[Any]:
    """What of a document is quoted as it is: its head, its clauses, its departments, its own words."""
    yield pack.instrument.model_dump(mode="json")
    yield [one.model_dump(mode="json") for one in (*pack.routes, *pack.open_questions)]
    for part in (*pack.duties, *pack.rates.values(), *pack.gates, *pack.paths, *pack.required_fields):
        yield [part.clause, getattr(part, "document", "")]


def addresses(world: World, actor: Actor) -> Iterator[str]:
    """Every page this visitor may look at, of an own object and of one that has ended."""
    for name, rule in sorted(load().items()):
        path = name.partition(" ")[2]
        if not name.startswith("GET ") or path.startswith("/v1/") or NO_PAGE.search(path):
            continue
        for holding in ("own", "ended") if names_an_object(name) else ("own",):
            given = address(name, world.holdings[holding].ids)
            if given and expected(rule, actor.name, name, holding) in ("served", "open"):
                yield given


@pytest.mark.parametrize("name", READERS)
async def test_what_stays_chinese_on_an_english_page_is_marked_and_is_a_name(world: World, name: str) -> None:
    actor = world.actors[name]
    cookie = "; ".join(part for part in (actor.cookie, f"{COOKIE}={Language.ENGLISH.value}") if part)
    reader, known, wrong = replace(actor, cookie=cookie), await names(world), set[tuple[str, str]]()
    for path in addresses(world, actor):
        answer = await reader.ask("GET", path)
        for said, marked, record in pieces(answer.text):
            wrong |= {(path, word) for word in faults(said, marked, record, known)}
    assert sorted(wrong) == []


def faults(said: str, marked: bool, record: bool, known: str) -> list[str]:
    """What is wrong with a text: Chinese unmarked, Chinese signs in English, Chinese that nobody is called by."""
    if not marked:
        return [said.strip()] if CHINESE.search(said) or SIGN.search(said) else []
    return [] if record else [part for part in BETWEEN.split(said) if CHINESE.search(part) and part not in known]
