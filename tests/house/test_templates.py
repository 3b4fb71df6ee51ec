"""Pages: nothing loads from elsewhere, every sentence has its English, no template and no English is an orphan."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from api.pages import TEMPLATES
from runtime.settings import PROJECT_ROOT

PAGES = sorted(TEMPLATES.rglob("*.j2"))
STATIC = sorted(path for path in (TEMPLATES / "static").rglob("*") if path.is_file())
ENGLISH = sorted((TEMPLATES / "english").glob("*.yaml"))
SENTENCE = re.compile(r"""\bt\(\s*(?:"([^"]+)"|'([^']+)')\s*\)""")
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
ELSEWHERE = re.compile(r"""["'`(=]\s*(?:https?:)?//[\w.]""")
"""An address of another site where one could be loaded from or sent to; a comment of a script is none."""
NAMESPACE = re.compile(r"http://www\.w3\.org/\d{4}/\w+")
HANDLERS = re.compile(
    r"\bon(?:click|load|error|submit|change|input|focus|blur|toggle|key\w+|mouse\w+|pointer\w+)\s*=|\bjavascript:"
    r"|\bdata:text|<(?:object|embed|base)\b",
    re.IGNORECASE,
)
BY_THE_KIND = ("mail/", "parts/words/", "asked/words/")
"""Named by a kind of notice or of letter at run time; test_notices.py and tests/entrance see to these."""
COUNTED = re.compile(r"\d+月|周[一二三四五六日]")
"""Months and weekdays, put together where they are drawn."""
MOST_PAGE_SCRIPT = 60_000
"""Bytes of one file of ours or of others that a page loads."""


def name(path: Path) -> str:
    return path.relative_to(TEMPLATES).as_posix()


def sources() -> Iterator[str]:
    for folder in ("activities", "api", "domain", "models", "runtime"):
        for path in sorted((PROJECT_ROOT / folder).rglob("*.py")):
            yield path.read_text(encoding="utf-8")


CODE = "\n".join(sources())
MARKUP = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)


def sentences(path: Path) -> list[str]:
    return [one or other for one, other in SENTENCE.findall(COMMENT.sub("", path.read_text(encoding="utf-8")))]


def read(path: Path) -> dict[str, str]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


@pytest.mark.parametrize("path", [*PAGES, *STATIC], ids=name)
def test_no_page_loads_anything_from_another_site(path: Path) -> None:
    if path.suffix in {".png", ".ico", ".woff2"}:
        return
    assert ELSEWHERE.findall(NAMESPACE.sub("", path.read_text(encoding="utf-8"))) == []


def test_nothing_is_trusted_that_was_not_escaped() -> None:
    """What is put into a page as it stands was made by us: drawings, and the parts of one letter."""
    assert re.findall(r"\|\s*safe\b|\{%-?\s*autoescape|\bMarkup\b", MARKUP) == []
    trusting = {path.name for path in (PROJECT_ROOT / "api").rglob("*.py") if "Markup(" in path.read_text()}
    trusting |= {path.name for path in (PROJECT_ROOT / "activities").rglob("*.py") if "Markup(" in path.read_text()}
    assert trusting == {"svg.py", "letters.py"}
    made = re.findall(r"\bEnvironment\(.{0,400}", CODE, re.DOTALL)
    assert [one for one in made if "autoescape=True" not in one] == []
    assert made


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_no_page_carries_code_or_looks_of_its_own(path: Path) -> None:
    """Its policy would not run them; and an address is one of ours, of the settings, or one made from an id."""
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    inside = HANDLERS.findall(text)
    assert inside == []
    assert [one for one in re.findall(r"<script\b[^>]*>", text) if "nonce=" not in one] == []


@pytest.mark.parametrize("path", STATIC, ids=name)
def test_what_a_page_loads_is_small_enough_for_a_telephone(path: Path) -> None:
    assert path.stat().st_size <= MOST_PAGE_SCRIPT


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_sentence_of_a_page_has_its_english(path: Path) -> None:
    known = {said for one in ENGLISH for said in read(one)}
    assert [said for said in dict.fromkeys(sentences(path)) if said not in known] == []


def test_a_sentence_has_the_same_english_in_every_room() -> None:
    found: dict[str, set[str]] = {}
    for path in ENGLISH:
        for said, english in read(path).items():
            found.setdefault(said, set()).add(english)
    assert {said: english for said, english in found.items() if len(english) > 1} == {}


@pytest.mark.parametrize("path", ENGLISH, ids=name)
def test_no_english_is_left_of_a_sentence_that_is_gone(path: Path) -> None:
    assert [said for said in read(path) if not COUNTED.fullmatch(said) and said not in MARKUP + CODE] == []


@pytest.mark.parametrize("path", [page for page in PAGES if not name(page).startswith(BY_THE_KIND)], ids=name)
def test_every_template_is_used(path: Path) -> None:
    folder, last = path.parent.name, path.name.removesuffix(".html.j2")
    put_together = re.search(rf'f"{folder}/\{{\w+\}}\.html\.j2"', CODE) and f'"{last}"' in CODE
    put_together = put_together or (rf'f"{{folder}}/{path.name}"' in CODE and f'"{folder}"' in CODE)
    assert f'"{name(path)}"' in CODE + MARKUP or put_together  # as the services of a development machine do
