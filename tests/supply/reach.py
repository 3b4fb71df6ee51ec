"""Which package is there for whom: the dependencies of this project and of what it depends on, as installed here."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from runtime.settings import PROJECT_ROOT

PROJECT = PROJECT_ROOT / "pyproject.toml"


@dataclass
class Reach:
    """Everything that follows from some requirements on this machine: name → what it needs itself."""

    needs: dict[str, set[str]] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def follow(self, asked: Iterable[Requirement], extra: str = "") -> set[str]:
        """Take these in, and what they need in turn; gives their names."""
        names = set[str]()
        for one in asked:
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                name = str(canonicalize_name(one.name))
                names.add(name)
                self.needs.setdefault(name, set())
                for each in ("", *sorted(one.extras)):
                    self._enter(name, each)
        return names

    def _enter(self, name: str, extra: str) -> None:
        if (name, extra) not in self._seen:
            self._seen.add((name, extra))
            self.needs[name] |= self.follow(_of(name), extra)


def asked(part: str = "") -> Iterator[Requirement]:
    """What pyproject.toml asks for at run time, or by the name of an extra."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    for one in project["optional-dependencies"][part] if part else project["dependencies"]:
        yield Requirement(one)


def version() -> str:
    """Our own."""
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]


def _of(name: str) -> list[Requirement]:
    """What an installed package needs; nothing is known of one that is for other machines."""
    try:
        return [Requirement(one) for one in requires(name) or ()]
    except PackageNotFoundError:
        return []
