"""One field of a form as a template draws it, and at which of them an error stands; how a form is read: forms.py."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.desk.fields import Field, Kind, Said
from models.contracts.vocabulary import Word

NOT_KEPT = frozenset({"person", "ref", "reference", "identity_number", "bank_account", "phone"})
"""Fields of which a browser keeps no draft: who was hurt, and where money goes or came from."""


@dataclass(frozen=True)
class Shown:
    """One field as a template draws it."""

    field: Field
    path: str
    said: Said
    value: Any
    error: str
    options: Sequence[tuple[str, str]]
    parts: tuple[tuple["Shown", ...], ...]
    row_errors: tuple[str, ...] = ()
    """Of a list: what is wrong with each row as a whole, empty where nothing is."""

    @property
    def id(self) -> str:
        return self.path.replace(".", "-")

    @property
    def secret(self) -> bool:
        return self.field.name in NOT_KEPT

    @property
    def kind(self) -> str:
        """A text with given values is a choice, several texts are several."""
        if not self.options:
            return self.field.kind.value
        return Kind.CHOICES.value if self.field.kind is Kind.LINES else Kind.CHOICE.value

    @property
    def choices(self) -> Sequence[tuple[str, Word | str]]:
        """What there is to choose from: words of the vocabulary, or what the case offers."""
        return self.options or [(one.value, one) for one in self.field.words]

    @property
    def text(self) -> str:
        """The value as an input shows it."""
        if self.value is None:
            return ""
        if self.field.kind is Kind.INSTANT:
            return str(self.value)[:16]
        return "\n".join(self.value) if self.field.kind is Kind.LINES else str(self.value)

    @property
    def chosen(self) -> str:
        """The chosen value; a choice that has a default shows it."""
        value = self.field.default if self.value is None else self.value
        return str(value).lower() if isinstance(value, bool) else str(value or "")

    @property
    def filled(self) -> bool:
        """Whether a group has something to see, so that it stands open."""
        below = any(one.error or one.filled for part in self.parts for one in part)
        return bool(self.value) or bool(self.error) or any(self.row_errors) or below

    @property
    def kept(self) -> list[Mapping[str, str]]:
        """Files that were stored already, though the form was not taken yet."""
        listed = self.value if isinstance(self.value, list) else [self.value]
        return [one for one in listed if isinstance(one, Mapping)]


def flat(fields: Sequence[Shown]) -> Iterator[Shown]:
    for one in fields:
        yield one
        for part in one.parts:
            yield from flat(part)


def places(fields: Sequence[Shown]) -> Iterator[str]:
    """Where an error can stand: at every field, and at every row of a list."""
    for one in flat(fields):
        yield one.path
        yield from (f"{one.path}.{at}" for at in range(len(one.row_errors)))


def nearest(errors: Mapping[str, str], known: set[str]) -> dict[str, str]:
    """Each error at its field, or at the nearest thing above it that stands on the page."""
    found: dict[str, str] = {}
    for path, why in errors.items():
        here = path
        while here and here not in known:
            here = here.rpartition(".")[0]
        found.setdefault(here or path, why)
    return found
