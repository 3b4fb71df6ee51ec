"""The second language of the pages: every Chinese sentence of a template with its English; no sentence is here."""

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any

import yaml

from api.pages import TEMPLATES
from models.contracts.vocabulary import Word

FOLDER = TEMPLATES / "english"
COOKIE = "anze_lang"


class Language(StrEnum):
    """The languages of the pages."""

    CHINESE = "zh"
    ENGLISH = "en"

    @property
    def tag(self) -> str:
        """As `<html lang>` wants it."""
        return "zh-CN" if self is Language.CHINESE else "en"


@cache
def english() -> dict[str, str]:
    """Chinese → English of all pages; one file for each room."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return found


def translator(language: Language) -> Callable[[str], str]:
    """Gives a sentence of a template in the reader's language; what has no English stays Chinese."""
    if language is Language.CHINESE:
        return lambda said: said
    return lambda said: english().get(said, said)


def namer(language: Language) -> Callable[[Any], str]:
    """Gives a word of the vocabulary in the reader's language; in English it is its value, spelled out."""
    if language is Language.CHINESE:
        return lambda word: word.label if isinstance(word, Word) else str(word or "")
    return lambda word: word.value.replace("_", " ") if isinstance(word, Word) else str(word or "")
