"""Which methods each address answers, for `Allow` and for telling a wrong method from a wrong body; no route."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Route, compile_path

from api.authorization import doors


class Methods:
    """Built once; asked only where something was refused already."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._known = [
            (compile_path(door.path)[0], door.route.methods or {"GET"})
            for door in doors(routes)
            if isinstance(door.route, Route)
        ]

    def at(self, path: str) -> frozenset[str]:
        """All methods of all routes at this address (RFC 9110, 10.2.1); none where nothing lies."""
        return frozenset[str]().union(*(methods for pattern, methods in self._known if pattern.match(path)))
