"""Which methods each address answers, and where the nearest page lies; asked beside the routes, never by them."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Route, compile_path

from api.authorization import doors


class Methods:
    """Built once; asked only where something was refused, or where the answer to a form is a page."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._known = [
            (compile_path(door.path)[0], door.route.methods or {"GET"}, door.path.count("{"))
            for door in doors(routes)
            if isinstance(door.route, Route)
        ]

    def at(self, path: str) -> frozenset[str]:
        """All methods of all routes at this address (RFC 9110, 10.2.1); none where nothing lies."""
        return frozenset[str]().union(*(methods for pattern, methods, _ in self._known if pattern.match(path)))

    def page_at(self, path: str) -> str:
        """The address itself where something can be opened there, else the nearest one above; empty where none is."""
        while path.strip("/"):
            if self._opens(path):
                return path
            path = path.rpartition("/")[0]
        return ""

    def _opens(self, path: str) -> bool:
        """The route that spells out most of an address is meant: `/insurer/providers/{id}/people` is no case."""
        found = [(places, methods) for pattern, methods, places in self._known if pattern.match(path)]
        fewest = min((places for places, _ in found), default=0)
        return any("GET" in methods for places, methods in found if places == fewest)
