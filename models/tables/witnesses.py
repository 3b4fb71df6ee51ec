"""The witnesses of the keys: what a process that starts tries its keys on; how it does is in runtime/witnesses.py."""

from datetime import datetime

from sqlmodel import Field

from models.tables.base import INSTANT, NOW, Row


class KeyWitness(Row, table=True):
    """A constant sealed under one key, for as long as something that matters is sealed under it."""

    __tablename__ = "key_witnesses"

    purpose: str = Field(primary_key=True)
    """`field` or `payload`."""
    name: str = Field(primary_key=True)
    sealed: bytes
    since: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=NOW)
    """When a process first sealed with it; what began well after that is sealed under it or a later one."""
