"""Why a field was not taken, as a sentence that says what would be; what was sent never stands in it. No words here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from api.patterns import SHAPES
from api.words import FROM_LIST, IN_SCHEMA, Reason
from models.contracts import vocabulary
from models.contracts.base import Miswritten
from models.contracts.vocabulary import Word

MOST_CHOICES = 20
"""More of them are a list to look into, not a sentence."""
QUOTED = re.compile(r"'([^']*)'")
CHOOSING = (Reason.WORD, Reason.LITERAL)
REASONS: Mapping[str, Reason] = {reason.value: reason for reason in Reason}


def reason_of(found: Mapping[str, Any], *, on_page: bool = False) -> str:
    """The sentence for one of pydantic's errors: of words people read the labels, programs the values."""
    bounds, reason = found.get("ctx", {}), REASONS.get(found["type"], Reason.OTHER)
    if found["type"] == "value_error":
        error = bounds["error"]
        return error.on_page if on_page and isinstance(error, Miswritten) else str(error)
    if reason in CHOOSING:
        return _of_words(QUOTED.findall(bounds["expected"]), on_page)
    return shaped(bounds["pattern"]) if reason is Reason.PATTERN else bounded(reason, bounds)


def plainly(reason: Reason) -> str:
    """The reason alone; what is no choice of a page stands in a list of that page."""
    return reason.label + (FROM_LIST if reason in CHOOSING else "")


def bounded(reason: Reason, bounds: Mapping[str, Any]) -> str:
    """The reason with the bound that was passed: its names are those of the validator."""
    return reason.label + reason.bound.format(**bounds)


def shaped(pattern: str) -> str:
    """What does not fit a pattern, with what does."""
    shape = SHAPES.get(pattern)
    return bounded(Reason.PATTERN, {"shape": shape}) if shape else Reason.PATTERN.label


def among(choices: Iterable[str]) -> str:
    """None of these, each of which may be given; more than twenty stand in a list beside."""
    listed = tuple(choices)
    if len(listed) > MOST_CHOICES:
        return Reason.WORD.label + FROM_LIST
    joint = "；" if any(mark in one for one in listed for mark in "、，") else "、"
    return bounded(Reason.WORD, {"choices": joint.join(listed)})


def _of_words(values: Sequence[str], on_page: bool) -> str:
    words = _vocabularies().get(tuple(values))
    if on_page:
        return among(word.label for word in words) if words else among(values)
    if words and len(values) > MOST_CHOICES:
        return Reason.WORD.label + IN_SCHEMA.format(many=len(values), name=words.__name__)
    return among(values)


@cache
def _vocabularies() -> dict[tuple[str, ...], type[Word]]:
    """Every closed list of the domain by its values; the validator's error names no class."""
    lists = [one for one in vars(vocabulary).values() if isinstance(one, type) and issubclass(one, Word)]
    return {tuple(word.value for word in words): words for words in reversed(lists) if words is not Word}
