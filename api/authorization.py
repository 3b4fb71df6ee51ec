"""Who may use which route: authorization.yaml, read, matched with the routes there are, and asked at every request."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import yaml
from fastapi import FastAPI, Request
from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, Mount, Route

from api.words import Scope

TABLE = Path(__file__).with_name("authorization.yaml")
PLACE = re.compile(r"{(\w+)(?::\w+)?}")
SOME_ID = str(UUID(int=0))


class Visitor(StrEnum):
    """Everybody there is, as promises.md 5.1 tells them apart and by how they came."""

    ANYBODY = "anybody"
    LINK_HOLDER = "link_holder"
    ENTERPRISE = "enterprise"
    DEPARTMENT_CONTACT = "department_contact"
    DEPARTMENT_OFFICER = "department_officer"
    INSURER_ADMIN = "insurer_admin"
    INSURER_HANDLER = "insurer_handler"
    INSURER_AUDITOR = "insurer_auditor"
    PROVIDER = "provider"
    OPERATOR = "operator"
    INSURER_KEY = "insurer_key"
    DEPARTMENT_KEY = "department_key"
    OPERATOR_KEY = "operator_key"


@dataclass(frozen=True)
class Rule:
    """Who may use one route; a key of an insurer needs `scope` as well, where one is named."""

    visitors: frozenset[Visitor]
    scope: Scope | None = None


@dataclass(frozen=True)
class Door:
    """One method of one route as the application has it, with the path of all routers it was included by."""

    method: str
    path: str
    route: BaseRoute

    @property
    def name(self) -> str:
        return f"{self.method} {_plain(self.path)}"


class Unlisted(Exception):
    """Routes without an entry, entries without a route: nobody knows who may use them, so nothing is served."""

    def __init__(self, unlisted: Iterable[str], orphaned: Iterable[str]) -> None:
        lines = [f"no entry for the route {name}" for name in sorted(unlisted)]
        lines += [f"no route for the entry {name}" for name in sorted(orphaned)]
        super().__init__("\n".join([f"api/{TABLE.name} and the routes disagree:", *lines]))


@dataclass(frozen=True)
class Authorization:
    """The table, bound to the routes of one application."""

    table: Mapping[str, Rule]
    paths: dict[int, str] = field(default_factory=dict)
    """By the identity of a route: the scope of a request knows a route, but not under which prefix it was included."""

    def rule(self, request: Request) -> Rule:
        """The most exact entry: one that writes out the words of the address goes before one with places for them."""
        method = "GET" if request.method == "HEAD" else request.method
        path = self.paths[id(request.scope["route"])]
        words = {name: word for name, word in request.path_params.items() if isinstance(word, str)}
        exact = PLACE.sub(lambda place: words.get(place[1], place[0]), path)
        return self.table.get(f"{method} {exact}") or self.table[f"{method} {path}"]


def load(path: Path = TABLE) -> dict[str, Rule]:
    """Every entry by `METHOD /path`. Raises ValueError for one that is given twice."""
    table: dict[str, Rule] = {}
    for group in yaml.safe_load(path.read_text(encoding="utf-8")):
        scope = Scope(group["scope"]) if "scope" in group else None
        rule = Rule(frozenset(Visitor(one) for one in group["visitors"]), scope)
        for name in group["routes"]:
            if name in table:
                raise ValueError(f"{name} stands in {path.name} twice")
            table[name] = rule
    return table


def bind(app: FastAPI) -> None:
    """Match the table with the application's routes, once all are there. Raises Unlisted."""
    found, table = list(doors(app.routes)), load()
    names = {door.name for door in found}
    orphaned = {name for name in table.keys() - names if not any(_spells_out(name, door) for door in found)}
    if orphaned or names - table.keys():
        raise Unlisted(names - table.keys(), orphaned)
    paths = {id(door.route): _plain(door.path) for door in found}
    app.state.authorization = Authorization(table, paths)


def doors(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[Door]:
    """Every method of every route, through all included routers; HEAD belongs to GET."""
    for route in routes:
        if (included := getattr(route, "original_router", None)) is not None:
            yield from doors(included.routes, prefix + getattr(route, "include_context").prefix)  # noqa: B009
        elif isinstance(route, Mount):
            yield Door("GET", prefix + route.path, route)
        elif isinstance(route, Route):
            methods = route.methods or {"GET"}
            yield from (Door(method, prefix + route.path, route) for method in sorted(methods - {"HEAD"}))
        else:
            raise TypeError(f"{type(route).__name__} is no route anybody has decided about")


def _plain(path: str) -> str:
    """Names of places without how they are read: `{policy_id:uuid}` is `{policy_id}`."""
    return PLACE.sub(r"{\1}", path)


def _spells_out(name: str, door: Door) -> bool:
    """Whether an entry writes words where the route has places for them."""
    method, _, path = name.partition(" ")
    if method != door.method or not isinstance(door.route, Route):
        return False
    own = PLACE.sub(SOME_ID, path).removeprefix(door.path.removesuffix(door.route.path))
    scope = {"type": "http", "path": URLPath(own), "method": method, "path_params": {}}
    return door.route.matches(scope)[0] is Match.FULL
