"""Lines, cells, hatching and words as SVG text, escaped once and here; what they mean is said by those who draw.

A drawing is two sheets: a wide one for a desk and a narrow one for a phone; templates/static/drawings.css shows one of
them by the room it has. Nothing here carries a colour, a style or a script: classes only, so that a strict CSP holds.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from markupsafe import Markup

CJK_FROM = "\u2e80"
WIDE_SIGNS = frozenset("“”‘’…—×〔〕")
"""Signs below CJK_FROM that Chinese fonts write as wide as a character."""
DIGITS = "0123456789"
WIDE, NARROW = 840, 328
"""User units across: one CSS pixel each on a phone of 360 px, and between 0.86 and 1.2 pixels on a desk."""
SIZES = {
    False: {"": 15, "small": 14, "note": 14, "large": 20},
    True: {"": 14, "small": 12, "note": 12, "large": 18},
}
ANCHORS = {"middle": "m", "end": "e"}
"""Letter heights by narrowness and class, as drawings.css has them; the smallest is 12 px on either."""
HATCHES = {
    "late": '<path d="M0 0H6V6H0z" class="paper"/><path d="M0 0V6" class="hatch late"/>',
    "pause": '<path d="M0 0V6M0 0H6" class="hatch pause"/>',
    "rest": '<circle cx="3" cy="3" r="1" class="dot rest"/>',
}
SAFE_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
OWN_ADDRESS = re.compile(r"[?#]|/(?![/\\])|\Z")
"""Links lead to our own pages: `/…`, `?…` or `#…`."""

Point = tuple[float, float]


def width(text: str, size: float) -> float:
    """About how wide a text stands, in pixels: a Chinese character is as wide as high."""
    return sum(size if letter >= CJK_FROM or letter in WIDE_SIGNS else size * 0.56 for letter in text)


def corners(places: Iterable[Point]) -> str:
    """The corners of a polygon as SVG writes them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def tag(name: str, inner: str | None = None, /, **attributes: str | float | None) -> str:
    """One element; `inner` is markup already, every attribute is escaped here; `cls` is the class, `_` a hyphen."""
    written = "".join(f' {_named(key)}="{_valued(value)}"' for key, value in attributes.items() if value is not None)
    return f"<{name}{written}/>" if inner is None else f"<{name}{written}>{inner}</{name}>"


def _named(key: str) -> str:
    return "class" if key == "cls" else key if key == "viewBox" else key.replace("_", "-")


def _valued(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


@dataclass
class Sheet:
    """What was drawn so far on one of the two sheets; `floor` is how far down it reaches."""

    ident: str
    narrow: bool
    floor: float = 0
    parts: list[str] = field(default_factory=list[str])
    hatches: set[str] = field(default_factory=set[str])
    linked: bool = False

    @property
    def room(self) -> float:
        """User units across."""
        return NARROW if self.narrow else WIDE

    def size(self, cls: str = "") -> float:
        """How high the letters of a class stand."""
        known = SIZES[self.narrow]
        return next((known[word] for word in cls.split() if word in known), known[""])

    def measure(self, text: str, cls: str = "") -> float:
        """How wide a text of a class stands."""
        return width(text, self.size(cls))

    def words(self, at: Point, text: str, cls: str = "", anchor: str | None = None, *, upright: bool = False) -> None:
        """A line of text on its base line; `anchor` is middle or end, else it starts there; `upright` reads upwards."""
        turned = f"rotate(-90 {at[0]:.0f} {at[1]:.0f})" if upright else None
        named = f"{cls} {ANCHORS.get(anchor or '', '')}".strip()
        self.parts.append(tag("text", escape(text), x=at[0], y=at[1], cls=named or None, transform=turned))

    def cell(self, at: Point, size: Point, cls: str, rx: float | None = None) -> None:
        """A rectangle from its upper left corner."""
        self.parts.append(tag("rect", x=at[0], y=at[1], width=max(size[0], 0), height=size[1], rx=rx, cls=cls))

    def hatch(self, at: Point, size: Point, kind: str, rx: float | None = None) -> None:
        """A rectangle of hatching: `late`, `pause` or `rest`, told apart without colour."""
        self.hatches.add(kind)
        filled = f"url(#{self.ident}-{kind})"
        self.parts.append(tag("rect", x=at[0], y=at[1], width=max(size[0], 0), height=size[1], rx=rx, fill=filled))

    def line(self, start: Point, end: Point, cls: str = "thin") -> None:
        self.parts.append(tag("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], cls=cls))

    def path(self, d: str, cls: str) -> None:
        self.parts.append(tag("path", d=d, cls=cls))

    def disc(self, at: Point, r: float, cls: str) -> None:
        self.parts.append(tag("circle", cx=at[0], cy=at[1], r=r, cls=cls))

    def shape(self, places: Sequence[Point], cls: str) -> None:
        self.parts.append(tag("polygon", points=corners(places), cls=cls))

    def link(self, href: str, label: str, paint: Callable[[], None]) -> None:
        """What `paint` draws as a link with a name read aloud; only drawn where there is no address.

        Raises ValueError for an address outside our own pages.
        """
        if not OWN_ADDRESS.match(href):
            raise ValueError(href)
        before, self.parts = self.parts, []
        paint()
        inner, self.parts = "".join(self.parts), before
        self.linked = self.linked or bool(href)
        self.parts.append(tag("a", tag("title", escape(label)) + inner, href=href) if href else inner)

    def wrapped(self, text: str, room: float, cls: str = "", most: int = 2) -> tuple[str, ...]:
        """A text in lines no wider than `room`, the last one of `most` cut with an ellipsis"""
        lines, rest = list[str](), text.strip()
        while rest and len(lines) < most - 1:
            line = self._fitting(rest, room, cls)
            lines.append(line.strip())
            rest = rest[len(line) :].lstrip()
        return (*lines, self.clipped(rest, room, cls)) if rest else tuple(lines)

    def balanced(self, text: str, room: float, cls: str = "", most: int = 4) -> tuple[str, ...]:
        """A text in as few lines as `room` allows, all about as long."""
        lines = self.wrapped(text, room, cls, most)
        while len(lines) > 1 and not lines[-1].endswith("…"):
            room -= 2
            shorter = self.wrapped(text, room, cls, most)
            if len(shorter) > len(lines) or shorter[-1].endswith("…"):
                break
            lines = shorter
        return lines

    def breaks(self, text: str, room: float, cls: str = "") -> bool:
        """Whether a word of a text is wider than `room`; Chinese may break anywhere."""
        return any(self.measure(word, cls) > room for word in text.split() if word[0] < CJK_FROM)

    def clipped(self, text: str, room: float, cls: str = "") -> str:
        """A text no wider than `room`, cut with an ellipsis where it is."""
        if self.measure(text, cls) <= room:
            return text
        while text and self.measure(text + "…", cls) > room:
            text = text[:-1]
        return text + "…"

    def _fitting(self, text: str, room: float, cls: str) -> str:
        if self.measure(text, cls) <= room:
            return text
        taken = next(n for n in range(1, len(text) + 1) if self.measure(text[: n + 1], cls) > room)
        gap = text.rfind(" ", 0, taken + 1)
        between_letters = text[taken - 1] < CJK_FROM and text[taken : taken + 1] < CJK_FROM
        if between_letters and gap > 0:
            return text[: gap + 1]
        before = text[:taken].rstrip(DIGITS)  # a year is not parted from its 年
        return before if before and text[taken - 1] in DIGITS and text[taken] in DIGITS + "年月日" else text[:taken]

    def reaches(self, y: float) -> None:
        """The sheet is at least so high."""
        self.floor = max(self.floor, y)

    def svg(self, title: str, desc: str, cls: str, across: float | None = None) -> str:
        """The whole sheet. With links inside it is a group, since an image would hide them from a screen reader."""
        names = (f"{self.ident}-title", f"{self.ident}-desc")
        said = tag("title", escape(title), id=names[0]) + tag("desc", escape(desc), id=names[1])
        return tag(
            "svg",
            said + self._patterns() + "".join(self.parts),
            cls=cls,
            viewBox=f"0 0 {across or self.room:g} {self.floor:g}",
            role="group" if self.linked else "img",
            aria_labelledby=names[0],
            aria_describedby=names[1],
        )

    def _patterns(self) -> str:
        drawn = "".join(
            tag(
                "pattern",
                HATCHES[kind],
                id=f"{self.ident}-{kind}",
                width=6,
                height=6,
                patternUnits="userSpaceOnUse",
                patternTransform="rotate(45)",
            )
            for kind in sorted(self.hatches)
        )
        return tag("defs", drawn) if drawn else ""


def drawing(prefix: str, title: str, desc: str, paint: Callable[[Sheet], None]) -> Markup:
    """The two sheets `paint` draws, in one figure; `prefix` begins every id and is unlike all others of the page.

    Raises ValueError for a prefix that cannot begin an id.
    """
    sheets = [Sheet(f"{checked(prefix)}-{kind}", narrow=kind == "narrow") for kind in ("wide", "narrow")]
    for sheet in sheets:
        paint(sheet)
    drawn = (s.svg(title, desc, "narrow" if s.narrow else "wide") for s in sheets)
    return Markup(tag("div", "".join(drawn), cls="drawing"))  # noqa: S704  every text and attribute was escaped by tag


def checked(prefix: str) -> str:
    """The prefix itself. Raises ValueError where it cannot begin an id."""
    if not SAFE_PREFIX.fullmatch(prefix):
        raise ValueError(prefix)
    return prefix


def small_drawing(sheet: Sheet, title: str, desc: str, across: float) -> Markup:
    """One sheet alone, for a cell of a list, `across` units wide and never scaled."""
    return Markup(sheet.svg(title, desc, "drawing spark", across))  # noqa: S704  escaped by tag
