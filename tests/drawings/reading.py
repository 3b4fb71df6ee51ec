"""Reads a drawing back: its two sheets, the words on each, and where they stand; decides nothing about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from markupsafe import Markup

from api.drawings.svg import SIZES, width

SIZED = ("small", "note", "large")


@dataclass(frozen=True)
class Sheet:
    """One sheet of a drawing."""

    root: ElementTree.Element

    @property
    def narrow(self) -> bool:
        return "narrow" in self.root.attrib["class"] or "spark" in self.root.attrib["class"]

    @property
    def texts(self) -> list[str]:
        return [text.text or "" for text in self.root.iter("text")]

    @property
    def box(self) -> tuple[float, float]:
        _, _, across, high = map(float, self.root.attrib["viewBox"].split())
        return across, high

    @property
    def links(self) -> dict[str, str]:
        """Address to name, of every link."""
        return {link.attrib["href"]: link[0].text or "" for link in self.root.iter("a")}

    def said(self, what: str) -> str:
        """The text of `title` or `desc`."""
        return self.root.findtext(what) or ""

    def spans(self) -> Iterator[tuple[str, float, float, float]]:
        """Each text that reads across, with where it begins and ends and its base line."""
        for text in self.root.iter("text"):
            if "transform" in text.attrib:
                continue
            cls = text.attrib.get("class", "").split()
            size = SIZES[self.narrow][next((word for word in cls if word in SIZED), "")]
            long, x = width(text.text or "", size), float(text.attrib["x"])
            left = x - (long / 2 if "m" in cls else long if "e" in cls else 0)
            yield text.text or "", left, left + long, float(text.attrib["y"])


def everything(drawn: Markup) -> list[ElementTree.Element]:
    """All elements of a drawing, the outermost first; raises ParseError where it is not well-formed."""
    return list(ElementTree.fromstring(drawn).iter())  # noqa: S314  our own drawing


def sheets(drawn: Markup) -> list[Sheet]:
    """The sheets of a drawing, of which there is one at least."""
    found = [Sheet(element) for element in everything(drawn) if element.tag == "svg"]
    assert found, "nothing was drawn"
    return found
