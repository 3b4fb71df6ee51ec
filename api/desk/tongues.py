"""A page written out for readers of English: what the domain says is retold, what stays Chinese says so."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape, unescape

from api.desk.retelling import CHINESE, DATE, day_in_english, retold

PIECE = re.compile(r"<!--.*?-->|<(?P<raw>script|style)\b.*?</(?P=raw)>|<[^>]*>|[^<]+", re.DOTALL)
TAG = re.compile(r"<(?P<ends>/?)(?P<name>[a-zA-Z][\w:-]*)")
LANG = re.compile(r"""\slang="(?P<tongue>[^"]*)\"""")
SPOKEN = re.compile(
    r"""(?P<name>\s(?:alt|aria-label|aria-description|data-label|placeholder|title))="(?P<said>[^"]*)\""""
)
"""Attributes people read or hear; what was typed (`value`) is nobody's to retell."""
VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
BLOCKS = frozenset({"b", "caption", "dd", "dt", "h1", "h2", "h3", "legend", "li", "option", "p", "summary", "td", "th"})
"""A sentence that is first in one of these begins with a capital."""
WHOLE = frozenset({"option", "title", "desc", "text", "tspan", "textarea"})
"""Elements that hold text alone: they are marked themselves."""
TYPED = frozenset({"textarea", "code"})
"""What is in them stays as it is."""
ZH = "zh-CN"
PARTS = re.compile(r"(\s{1,99}·\s{1,99}|\s{0,99}　\s{0,99}|\s{0,99}\n\s{0,99}|: |：)")
"""What templates put between two sentences of one text; of blanks without end each would be looked at to the last."""
OWN = "\u3400-\u9fff"
RUN = re.compile(rf"[〔《“]?[{OWN}](?:[\w\s.,:：、，；。（）()〔〕《》“”·/-]*[{OWN}])?")
TAIL = re.compile(r"[〕》”]*(?:。(?=\s*$))?(?:\.[a-z0-9]{2,5}\b)?")
"""Words that stay Chinese with what stands between them, and what belongs to their end."""
OPENS, ENDS = "（(", "）)"
MARKS = str.maketrans(
    {"，": ", ", "、": ", ", "；": "; ", "：": ": ", "。": ". ", "（": " (", "）": ")", "“": '"', "”": '"', "　": " "}
)
CAPITAL = re.compile(r"^\s*[a-z]")
SIGN = re.compile("[，、；：。（）　]")


def in_english(page: str) -> str:
    """The page with every sentence we know in English, and `lang` on what stays Chinese."""
    return "".join(_Writer().written(page))


@dataclass
class _Writer:
    """Where in the page the pen is: what was written, and the elements that are open with their language."""

    out: list[str] = field(default_factory=list)
    open: list[tuple[str, int, bool]] = field(default_factory=list)
    """Name, where its tag stands in `out`, whether it is Chinese."""

    def written(self, page: str) -> list[str]:
        for piece in PIECE.finditer(page):
            text = piece[0]
            if text[0] != "<":
                self._text(text)
            elif piece["raw"] or text.startswith(("<!", "<?")):
                self.out.append(text)
            else:
                self._tag(text)
        return self.out

    def _tag(self, tag: str) -> None:
        found = TAG.match(tag)
        if found is None:
            self.out.append(tag)
        elif found["ends"]:
            self._close(found["name"])
            self.out.append(tag)
        else:
            self._begin(found["name"], tag)

    def _close(self, name: str) -> None:
        while self.open and self.open.pop()[0] != name:
            pass

    def _begin(self, name: str, tag: str) -> None:
        tongue, alone = LANG.search(tag), name in VOID or tag.endswith("/>")
        chinese = tongue["tongue"].startswith("zh") if tongue else self._is_chinese()
        if not chinese and (CHINESE.search(tag) or SIGN.search(tag)):
            tag = SPOKEN.sub(_attribute, tag)
            if CHINESE.search(tag) and (alone or name == "option") and not tongue:
                tag = _marked(tag)
        self.out.append(tag)
        if not alone:
            self.open.append((name, len(self.out) - 1, chinese))

    def _is_chinese(self) -> bool:
        return bool(self.open) and self.open[-1][2]

    def _text(self, text: str) -> None:
        name, at, chinese = self.open[-1] if self.open else ("", 0, False)
        if chinese or not text.strip():
            self.out.append(text)
            return
        told = text if name in TYPED else escape(_said(unescape(text)), quote=False)
        if told != text and name in BLOCKS and at == len(self.out) - 1:
            told = CAPITAL.sub(lambda first: first[0].upper(), told, count=1)
        if name in TYPED and not CHINESE.search(told):
            self.out.append(told)
        elif name in WHOLE and CHINESE.search(told):
            self.out[at] = _marked(self.out[at])
            self.out.append(told)
        else:
            self.out.append("".join(_runs(told)))


def _attribute(found: re.Match[str]) -> str:
    return f'{found["name"]}="{escape(_said(unescape(found["said"])).translate(MARKS))}"'


def _marked(tag: str) -> str:
    """The tag with its language, before what ends it."""
    ends = "/>" if tag.endswith("/>") else ">"
    return tag if LANG.search(tag) else f'{tag[: -len(ends)].rstrip()} lang="{ZH}"{ends}'


def _said(text: str) -> str:
    """A text as English says it, as far as we know: as a whole, part by part, or its dates alone."""
    if not CHINESE.search(text):
        return text
    lead, trail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    whole = retold(text)
    if whole is not None:
        return f"{lead}{whole}{trail}"
    return "".join(part if number % 2 else _part(part) for number, part in enumerate(PARTS.split(text)))


def _part(text: str) -> str:
    told = retold(text) if text.strip() else text
    return told if told is not None else DATE.sub(day_in_english, text)


def _runs(text: str) -> Iterator[str]:
    """The text with what is Chinese in elements of their own, and English marks around them."""
    end = 0
    for run in RUN.finditer(text):
        start, stop = _whole(text, run, end)
        yield text[end:start].translate(MARKS)
        yield f'<span lang="{ZH}">{text[start:stop]}</span>'
        end = stop
    yield text[end:].translate(MARKS)


def _whole(text: str, run: re.Match[str], after: int) -> tuple[int, int]:
    """Where a run begins and ends with the brackets that are its own: 甲（宿州（样例）） has both, (甲) has none."""
    start, stop = run.span()
    depth = lowest = 0
    for letter in run[0]:
        depth += (letter in OPENS) - (letter in ENDS)
        lowest = min(lowest, depth)
    while lowest < 0 and start > after and text[start - 1] in OPENS:
        start, lowest, depth = start - 1, lowest + 1, depth + 1
    while depth > 0 and text[stop : stop + 1] and text[stop] in ENDS:
        stop, depth = stop + 1, depth - 1
    tail = TAIL.match(text, stop)
    return start, tail.end() if tail else stop
