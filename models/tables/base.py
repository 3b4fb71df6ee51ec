"""How words, instants and documents lie in columns; no table here."""

from typing import Any, ClassVar

from sqlalchemy import DateTime, Dialect, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

from models.contracts.vocabulary import Word

# Every constraint has a predictable name, so that a later migration can speak of it.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

INSTANT = DateTime(timezone=True)
"""timestamptz; an instant is always aware."""
DOCUMENT = JSONB()
NOW: dict[str, Any] = {"server_default": func.now()}
"""For columns that tell when the row was written, by the database's own clock."""


class Row(SQLModel):
    """A row of a table that names itself; the rows carry no behaviour."""

    __tablename__: ClassVar[str]  # pyright: ignore[reportIncompatibleVariableOverride] - a plain name, not computed


class Worded(TypeDecorator[Word]):
    """A word of the vocabulary, stored as its value: readable in SQL, and a new word needs no migration."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[Word]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Word | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Word | None:
        return None if value is None else self.kind(value)
