"""What is generated: pictures, words of the glossary, problem codes and where they occur; no sentence of its own."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from api.described import meaning
from api.desk.retelling import word_names
from api.possible import LISTED
from api.words import REFUSALS, ProblemCode
from models.contracts import vocabulary
from models.contracts.vocabulary import Word
from rules.library import Library
from runtime import refusing
from runtime.pictures import lives, sequences
from runtime.settings import PROJECT_ROOT

DOCS = PROJECT_ROOT / "docs"
PICTURES = DOCS / "pictures"
PART = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def generated() -> dict[Path, str]:
    """Every file that has something generated in it, as it should be."""
    told = {path: _filled(path) for path in (DOCS / "glossary.md", DOCS / "problems.md")}
    return {**_pictures(), **told, LISTED: refusing.generated()}


def stale() -> list[Path]:
    """The files that are not as they should be."""
    return [path for path, text in generated().items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def vocabularies() -> Iterator[type[Word]]:
    """Every closed list of words, in the order of its module."""
    for found in vars(vocabulary).values():
        if isinstance(found, type) and issubclass(found, Word) and found is not Word:
            yield found


def _pictures() -> dict[Path, str]:
    said = _read(PICTURES / "captions.yaml")
    rules = Library()
    drawn = {name: sequences.sequence(caption) for name, caption in said["sequences"].items()}
    drawn["policy-life"] = lives.policy_life(rules, said["policy"])
    drawn["hazard-life"] = lives.hazard_life(rules, said["hazard"])
    return {PICTURES / f"{name}.svg": text for name, text in drawn.items()}


def _filled(path: Path) -> str:
    return PART.sub(lambda part: f"{part[1]}{PARTS[part['name']]()}{part[3]}", path.read_text(encoding="utf-8"))


def _words() -> str:
    """Raises KeyError where docs/words.yaml or the English of words lacks a word."""
    said = _read(DOCS / "words.yaml")
    return "\n".join(_of(words, said[words.__name__]) for words in vocabularies())


def _of(words: type[Word], said: dict[str, Any]) -> str:
    english = word_names()[words.__name__]
    rows = ((f"`{word.value}`", word.label, english[word.value], said["words"][word.value]) for word in words)
    return f"### {said['title']} `{words.__name__}`\n\n{_table(('词', '名称', 'English', '意思'), rows)}"


def _problems() -> str:
    rows = ((f"`{one.value}`", str(one.status), one.label, one.english, one.advice) for one in ProblemCode)
    return _table(("code", "状态码", "含义", "English", "怎么办"), rows)


def _refusals() -> str:
    return _table(("code", "含义", "English"), ((f"`{code}`", *meaning(code)) for code in sorted(REFUSALS)))


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


PARTS: dict[str, Callable[[], str]] = {"words": _words, "problems": _problems, "refusals": _refusals}
