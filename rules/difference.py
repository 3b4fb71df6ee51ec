"""What changed between two versions of a pack, in words a regulator reads; chooses no versions."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from models.contracts.pack import Pack
from rules.reading import Entry, Part, entries


@dataclass(frozen=True)
class Change:
    """One change; `field`, `before` and `after` are empty where a whole entry came or went."""

    place: str
    kind: Literal["added", "removed", "changed"]
    part: Part
    ident: str
    label: str
    field: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        """宿州：义务 上传电子保单（policy_upload）的期限由“…”改为“…”"""
        called = str(Entry(self.part, self.ident, self.label))
        where = f"{self.place}：" if self.place else ""
        if self.kind == "changed":
            return f"{where}{called}的{self.field}由“{self.before}”改为“{self.after}”"
        return f"{where}{'新增' if self.kind == 'added' else '取消'} {called}：{self.after or self.before}"

    def as_json(self) -> dict[str, str]:
        return {**asdict(self), "says": str(self)}


def changes(before: Pack | None, after: Pack | None, place: str = "") -> tuple[Change, ...]:
    """Every entry that came, went or says something else; `None` stands for no pack at all."""
    old, new = _keyed(before), _keyed(after)
    found: list[Change] = []
    for key in dict.fromkeys([*old, *new]):
        found += _between(old.get(key), new.get(key), place)
    return tuple(found)


def _keyed(pack: Pack | None) -> dict[tuple[str, ...], Entry]:
    """Entries by what makes them the same one in another version; a repeated id goes by its place in the row."""
    keyed: dict[tuple[str, ...], Entry] = {}
    for entry in entries(pack) if pack else ():
        key: tuple[str, ...] = (entry.part, entry.ident or entry.label)
        while key in keyed:
            key = (*key, "再")
        keyed[key] = entry
    return keyed


def _between(old: Entry | None, new: Entry | None, place: str) -> Iterator[Change]:
    if old is None and new:
        yield Change(place, "added", new.part, new.ident, new.label, after=_said(new))
    if new is None and old:
        yield Change(place, "removed", old.part, old.ident, old.label, before=_said(old))
    if old is None or new is None:
        return
    if old.label != new.label:
        yield Change(place, "changed", new.part, new.ident, new.label, "名称", old.label, new.label)
    for name in dict.fromkeys([*old.says, *new.says]):
        was, now = old.says.get(name, ""), new.says.get(name, "")
        if was != now:
            yield Change(place, "changed", new.part, new.ident, new.label, name, was, now)


def _said(entry: Entry) -> str:
    return "，".join(f"{name} {text}" for name, text in entry.says.items())
