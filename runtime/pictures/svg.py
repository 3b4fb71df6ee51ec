"""Boxes, arrows and words as SVG text, with nothing from elsewhere; what they mean is said elsewhere."""

from dataclasses import dataclass, field
from html import escape
from math import hypot

from api.drawings.svg import Point, corners

FONT = "'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif"
INK, QUIET, LINE, PAPER = "#1f2933", "#52606d", "#9aa5b1", "#ffffff"
BLUE, RED, GREEN, GREY = "#1f5f9e", "#b42318", "#14532d", "#7b8794"
HEAD = 7  # length of an arrow head


@dataclass(frozen=True)
class Pen:
    """How words are written: size in pixels, colour, weight."""

    size: float = 12.5
    colour: str = INK
    bold: bool = False


PLAIN, HUSHED, HEADING, TITLE = Pen(), Pen(colour=QUIET), Pen(13.5, bold=True), Pen(18, bold=True)


@dataclass(frozen=True)
class Box:
    """A rounded box around its centre, with a title and a quieter second line."""

    centre: Point
    title: str
    under: str = ""
    size: Point = (124, 52)
    colour: str = BLUE

    def edge(self, towards: Point) -> Point:
        """Where a line from the centre towards a point leaves the box."""
        (x, y), (w, h) = self.centre, self.size
        dx, dy = towards[0] - x, towards[1] - y
        if dx == 0 and dy == 0:
            return self.centre
        reach = min(w / 2 / abs(dx) if dx else float("inf"), h / 2 / abs(dy) if dy else float("inf"))
        return (x + dx * reach, y + dy * reach)


@dataclass
class Canvas:
    """What was drawn so far; `text()` gives the file."""

    size: Point
    title: str
    parts: list[str] = field(default_factory=list)

    def words(self, at: Point, text: str, pen: "Pen", anchor: str = "middle") -> None:
        weight = ' font-weight="600"' if pen.bold else ""
        self.parts.append(
            f'<text x="{at[0]:g}" y="{at[1]:g}" font-size="{pen.size:g}" fill="{pen.colour}" '
            f'text-anchor="{anchor}"{weight} '
            f'stroke="{PAPER}" stroke-width="3" paint-order="stroke">{escape(text)}</text>'
        )

    def box(self, box: Box) -> None:
        (x, y), (w, h) = box.centre, box.size
        self.parts.append(
            f'<rect x="{x - w / 2:g}" y="{y - h / 2:g}" width="{w:g}" height="{h:g}" rx="7" fill="{PAPER}" '
            f'stroke="{box.colour}" stroke-width="1.6"/>'
        )
        self.words((x, y + (-3 if box.under else 5)), box.title, Pen(15, box.colour, bold=True))
        if box.under:
            self.words((x, y + 16), box.under, Pen(11.5, QUIET))

    def line(self, start: Point, end: Point, *, colour: str = LINE, bend: float = 0, arrow: bool = True) -> Point:
        """A line, bent sideways by `bend` pixels; gives the point where its label stands."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = hypot(dx, dy) or 1
        across = (dy / length, -dx / length)
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        pull = (middle[0] + across[0] * bend * 2, middle[1] + across[1] * bend * 2)
        self.parts.append(
            f'<path d="M{start[0]:g} {start[1]:g} Q{pull[0]:g} {pull[1]:g} {end[0]:g} {end[1]:g}" fill="none" '
            f'stroke="{colour}" stroke-width="1.5"/>'
        )
        if arrow:
            self._head(pull if bend else start, end, colour)
        return (middle[0] + across[0] * bend, middle[1] + across[1] * bend)

    def _head(self, before: Point, tip: Point, colour: str) -> None:
        dx, dy = tip[0] - before[0], tip[1] - before[1]
        length = hypot(dx, dy) or 1
        ux, uy = dx / length, dy / length
        back = (tip[0] - ux * HEAD, tip[1] - uy * HEAD)
        places = [tip, (back[0] - uy * 4, back[1] + ux * 4), (back[0] + uy * 4, back[1] - ux * 4)]
        self.parts.append(f'<polygon points="{corners(places)}" fill="{colour}"/>')

    def bar(self, start: Point, end: Point, colour: str) -> None:
        """A thick horizontal bar between two points of one height."""
        self.parts.append(
            f'<rect x="{start[0]:g}" y="{start[1] - 5:g}" width="{end[0] - start[0]:g}" height="10" rx="5" '
            f'fill="{colour}" fill-opacity="0.85"/>'
        )

    def text(self) -> str:
        """The whole file, the same for the same drawing."""
        w, h = self.size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" '
            f'font-family="{FONT}" role="img">'
        )
        paper = f'<rect width="{w:g}" height="{h:g}" fill="{PAPER}"/>'
        return "\n".join([head, f"<title>{escape(self.title)}</title>", paper, *self.parts, "</svg>", ""])
