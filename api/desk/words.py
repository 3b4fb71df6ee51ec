"""The languages of the pages, and how a sentence or a word is said in each; no sentence is here."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from api.desk.retelling import retold, sentences, word_names
from models.contracts.vocabulary import Word

COOKIE = "anze_lang"


class Language(StrEnum):
    """The languages of the pages."""

    CHINESE = "zh"
    ENGLISH = "en"

    @property
    def tag(self) -> str:
        """As `<html lang>` wants it."""
        return "zh-CN" if self is Language.CHINESE else "en"


def translator(language: Language) -> Callable[[str], str]:
    """Gives a sentence of a template in the reader's language; what has no English stays Chinese."""
    if language is Language.CHINESE:
        return lambda said: said
    return lambda said: sentences().get(said) or retold(said) or said


def namer(language: Language) -> Callable[[Any], str]:
    """Gives a word of the vocabulary in the reader's language; what is no word stays as it is."""
    if language is Language.CHINESE:
        return lambda word: word.label if isinstance(word, Word) else _plain(word)
    return _english_name


def _plain(said: Any) -> str:
    """Nothing is nothing to read; nought is a number."""
    return "" if said is None or said is False else str(said)


def _english_name(word: Any) -> str:
    if not isinstance(word, Word):
        return _plain(word)
    named = word_names().get(type(word).__name__, {})
    return named.get(word.value) or retold(word.label) or word.value.replace("_", " ")
