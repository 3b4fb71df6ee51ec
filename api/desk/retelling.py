"""A Chinese sentence of the domain told again in English, by forms in templates/english/retold; no sentence is here."""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from math import prod
from pathlib import Path
from string import Formatter

import yaml

from api.pages import TEMPLATES
from api.words import ProblemCode
from models.contracts import vocabulary

FOLDER: Path = TEMPLATES / "english"
FORMS: Path = FOLDER / "retold"
WORDS, ENTRIES = FORMS / "words.yaml", FORMS / "packs.yaml"
CHINESE = re.compile("[\u3400-\u9fff]")
LONGEST = 600
"""Characters; nobody but people writes longer sentences."""
MOST_TRIES = 5_000
"""Ways to fill the forms a sentence and its parts may be looked at in; ours need some hundreds."""
CALL = 5
"""Tries that going through all forms once counts for."""
DEEPEST = 30
"""Sentences within sentences."""
GAPS = {
    "day": r"\d{4}年\d{1,2}月\d{1,2}日(?:（周[一二三四五六日]）)?(?: ?\d\d:\d\d)?",
    "short": r"(?:\d{4}年)?\d{1,2}月\d{1,2}日",
    "n": r"-?\d[\d,]*(?:\.\d+)?",
    "code": r"[!-~]+",
    "told": r".+?",
    "part": r"[^，；。]+",
    "": r".+?",
}
"""What may stand in a gap of a form: `{on:day}`, `{n:n}`; `told` is known itself, `part` ends with its part."""
DATE = re.compile(
    r"(?:(?P<year>\d{4})年)?(?P<month>\d{1,2})月(?P<day>\d{1,2})日(?:（周(?P<weekday>[一二三四五六日])）)?"
    r"(?: ?(?P<time>\d\d:\d\d))?"
)
COUNTED = re.compile(r"\d+月|周[一二三四五六日]")
"""Months and weekdays keep their capital."""
JOINTS = {"；": "; ", "。": ". ", "，": ", ", "、": ", "}
"""Where a sentence that is not known as a whole may be taken apart, the strongest first."""


@dataclass(frozen=True)
class Form:
    """A Chinese sentence with gaps, and its English with the same gaps."""

    said: tuple[re.Pattern[str], re.Pattern[str]]
    """With gaps as short as may be, and as long."""
    words: tuple[str, ...]
    """What stands before, between and after the gaps."""
    kinds: Mapping[str, str]
    english: str

    def ways(self, said: str) -> int:
        """In how many ways a sentence may be divided at the form's own words, at most."""
        first, *between, last = self.words
        return prod(map(said.count, between)) if said.startswith(first) and said.endswith(last) else 0


class _TooMuch(Exception):
    """A sentence nobody of ours says: looking at all it might be would take too long."""


@dataclass
class _Effort:
    """What one sentence has cost so far."""

    tries: int = 0
    depth: int = 0

    def spend(self, tries: int) -> None:
        self.tries += tries
        if self.tries > MOST_TRIES:
            raise _TooMuch


EFFORT: ContextVar[_Effort] = ContextVar("effort")


def retold(said: str) -> str | None:
    """The sentence in English; `None` where it is not one of ours, as what people wrote. It begins with a capital."""
    told = _looked_at(said.strip()) if CHINESE.search(said) else None
    return told[:1].upper() + told[1:] if told and said.strip() not in labels() else told


def day_in_english(date: re.Match[str]) -> str:
    """2024年2月18日（周日）24:00 → Sun 18 Feb 2024 24:00"""
    names = sentences()
    weekday = names[f"周{date['weekday']}"] if date["weekday"] else ""
    month = names[f"{int(date['month'])}月"]
    return " ".join(part for part in (weekday, date["day"], month, date["year"], date["time"]) if part)


@cache
def sentences() -> dict[str, str]:
    """Chinese → English of what the templates and drawings of all pages say; one file for each room."""
    return {said: told for path in sorted(FOLDER.glob("*.yaml")) for said, told in read(path).items()}


@cache
def word_names() -> dict[str, dict[str, str]]:
    """The English of every word of the vocabulary, by list and word."""
    return yaml.safe_load(WORDS.read_text(encoding="utf-8"))


@cache
def entry_names() -> dict[str, dict[str, str]]:
    """The English of every duty, figure and condition of the packs by its id and the label a pack gives it."""
    return yaml.safe_load(ENTRIES.read_text(encoding="utf-8"))


@cache
def labels() -> dict[str, str]:
    """The English of words and of what packs name, by Chinese label; of two lists with one label the first speaks."""
    found: dict[str, str] = {}
    for listed in entry_names().values():
        found |= listed
    for name, words in word_names().items():
        told = {word.label: words[word.value] for word in getattr(vocabulary, name) if word.value in words}
        found = told | found
    return {one.label: one.english for one in ProblemCode} | found


@cache
def written() -> dict[str, str]:
    """Chinese → English of what the domain says, with gaps."""
    files = (path for path in sorted(FORMS.glob("*.yaml")) if path not in (WORDS, ENTRIES))
    return {said: told for path in files for said, told in read(path).items()}


@cache
def forms() -> tuple[Form, ...]:
    """Every sentence with gaps; the ones with most words of their own come first."""
    open_ = sorted((said for said in written() if "{" in said), key=lambda said: -len(CHINESE.findall(said)))
    return tuple(_form(said, written()[said]) for said in open_)


def read(path: Path) -> dict[str, str]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _form(said: str, told: str) -> Form:
    pattern, kinds, words = "", dict[str, str](), [""]
    for literal, name, kind, _ in Formatter().parse(said):
        pattern += re.escape(literal)
        words[-1] += literal
        if name is not None:
            kinds[name] = kind or ""
            pattern += f"(?P<{name}>{GAPS[kind or '']})"
            words.append("")
    shapes = (pattern, pattern.replace(GAPS["told"], GAPS["told"].removesuffix("?")))
    return Form((re.compile(shapes[0], re.DOTALL), re.compile(shapes[1], re.DOTALL)), tuple(words), kinds, told)


@lru_cache(maxsize=8192)
def _looked_at(said: str) -> str | None:
    """What people wrote may fit many forms in endless ways; then it stays as it is."""
    begun = EFFORT.set(_Effort())
    try:
        return _told(said)
    except _TooMuch:
        return None
    finally:
        EFFORT.reset(begun)


@lru_cache(maxsize=8192)
def _told(said: str) -> str | None:
    if not CHINESE.search(said):
        return said
    if len(said) > LONGEST:
        return None
    known = sentences().get(said) or labels().get(said) or written().get(said)
    if known:
        return known
    date = DATE.fullmatch(said)
    return day_in_english(date) if date else _composed(said)


def _composed(said: str) -> str | None:
    effort = EFFORT.get()
    if effort.depth == DEEPEST:
        raise _TooMuch
    effort.depth += 1
    effort.spend(CALL)
    told = _by_form(said) or _in_parts(said)
    effort.depth -= 1
    return told


def _within(said: str) -> str | None:
    """What stands within a sentence: words by their labels, sentences without their capital."""
    known = sentences().get(said)
    if said in labels() or known is None:
        return labels().get(said) or _told(said)
    return known if known[1:2].isupper() or COUNTED.fullmatch(said) else known[:1].lower() + known[1:]


def _by_form(said: str) -> str | None:
    for form in forms():
        ways = form.ways(said)
        EFFORT.get().spend(ways)
        for pattern in form.said if ways else ():
            found = pattern.fullmatch(said)
            values = _filled(form, found) if found else None
            if values is not None:
                return _spoken(form.english, values)
    return None


def _filled(form: Form, found: re.Match[str]) -> dict[str, str] | None:
    """What stands in the gaps, in English; `None` where one of them should be known and is not."""
    values: dict[str, str] = {}
    for name, kind in form.kinds.items():
        told = _within(found[name].strip())
        if kind == "told" and (told is None or _broken(found[name])):
            return None
        values[name] = told or found[name]
    return values


def _broken(said: str) -> bool:
    """Whether brackets were torn apart, or belong to what stands before them."""
    return said[0] == "（" or any(said.count(opens) != said.count(ends) for opens, ends in ("（）", "“”"))


def _spoken(english: str, values: Mapping[str, str]) -> str:
    """The English with its gaps filled; `{n:day}` counts days."""
    spoken = ""
    for literal, name, counted, _ in Formatter().parse(english):
        spoken += literal
        if name is not None:
            ending = "" if values[name] == "1" else "s"
            spoken += f"{values[name]} {counted}{ending}" if counted else values[name]
    return spoken


def _in_parts(said: str) -> str | None:
    """Every part by itself, where all of them are known."""
    if said.endswith("。"):
        whole = _told(said[:-1])
        return whole and f"{whole}."
    for joint, written in JOINTS.items():
        if len(_parted(said, joint)) > 1:
            parts = [_within(part) if part else None for part in _parted(said, joint)]
            if all(parts):
                return written.join(part for part in parts if part)
    return None


def _parted(said: str, joint: str) -> list[str]:
    """Taken apart at a joint, but not within brackets."""
    parts, depth = [""], 0
    for letter in said:
        depth += (letter == "（") - (letter == "）")
        if letter == joint and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
