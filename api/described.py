"""What the description says of words, fields, keys and itself, out of data; no operation is known here."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from api.authorization import Rule, Visitor, load
from api.desk.fields import LABELS
from api.desk.retelling import word_names, written
from api.pages import TEMPLATES
from api.words import REFUSALS, ProblemCode, Scope
from models.contracts import base, vocabulary
from models.contracts.vocabulary import Word

TOLD: Path = TEMPLATES / "api" / "words.yaml"
ABOUT: Path = TEMPLATES / "api" / "about.md"
API: Path = Path(__file__).parent
MODES = ("-Input", "-Output")
"""How a schema is called whose written and read forms differ."""


def about() -> str:
    """What every developer reads first."""
    return ABOUT.read_text(encoding="utf-8").strip()


@cache
def _told() -> dict[str, dict[str, Any]]:
    # every scalar is text here: `on` and `yes` are names of fields, not truths
    return yaml.load(TOLD.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506


def tags() -> list[dict[str, str]]:
    return [{"name": name, "description": said} for name, said in _told()["tags"].items()]


@cache
def _rules() -> dict[str, Rule]:
    return load()


def keys_of(route: str) -> tuple[str, Scope | None]:
    """Whose keys may use a route, in words, and which further right they need."""
    rule = _rules()[route]
    whose = [said for name, said in _told()["keys"].items() if Visitor(name) in rule.visitors]
    says, scope = _told()["says"], rule.scope
    needs = "" if scope is None else says["scope"].format(scope=scope.value, label=scope.label)
    return says["keys"].format(keys="；".join(whose)) + needs, scope


def meaning(code: str) -> tuple[str, str]:
    """What a code of the request, or of a case, means in general, in Chinese and in English."""
    own = {one.value: (one.label, one.english) for one in ProblemCode}
    return own[code] if code in own else (REFUSALS[code], written()[REFUSALS[code]])


def name_the_words(schemas: dict[str, Any]) -> None:
    """Every closed list of words with the meaning of each."""
    for name, schema in schemas.items():
        words = getattr(vocabulary, name, None)
        if isinstance(words, type) and issubclass(words, Word):
            english = word_names()[name]
            meant = {word.value: f"{word.label} / {english[word.value]}" for word in words}
            schema["description"] = "\n".join(f"* `{value}` {said}" for value, said in meant.items())
            schema["x-enumDescriptions"] = meant


def say_the_fields(schemas: dict[str, Any]) -> None:
    """Every field that says nothing of itself: its Chinese and English name, and what its contract says of it."""
    for name, schema in schemas.items():
        owner = next((name.removesuffix(mode) for mode in MODES if name.endswith(mode)), name)
        known = _forms() if schema.get("additionalProperties") is False else _answers()
        for field, part in schema.get("properties", {}).items():
            words = known.get(f"{owner}.{field}") or known.get(field) or {}
            said = [*_named(words), *filter(None, [_sentences().get((owner, field))])]
            if said and "description" not in part:
                part["description"] = " ".join(said)


def _named(words: Mapping[str, str]) -> Iterator[str]:
    """报案日期 / Reported on。 不填即为今天。 / Today if left empty."""
    for chinese, english in (("zh", "en"), ("help", "help_en")):
        if words.get(chinese):
            yield f"{words[chinese].rstrip('。')} / {words[english].rstrip('.')}。"


@cache
def _forms() -> dict[str, dict[str, str]]:
    """The words beside the fields of forms; those of answers where a request has a field no form has."""
    forms = yaml.load(LABELS.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["fields"]  # noqa: S506
    return _told()["fields"] | forms


@cache
def asked_words() -> dict[str, dict[str, str]]:
    """The words of what a page is asked with: in its address and in forms of no contract, then those of forms."""
    return _forms() | _told()["asked"]


@cache
def _answers() -> dict[str, dict[str, str]]:
    """The words of fields of answers; those of forms where an answer repeats what was asked."""
    return _forms() | _told()["fields"]


@cache
def _sentences() -> dict[tuple[str, str], str]:
    """What stands under a field in the source, by contract and field."""
    contracts = sorted(Path(base.__file__).parent.glob("*.py"))
    return dict(one for path in (*contracts, *sorted(API.rglob("*.py"))) for one in _under_fields(path))


def _under_fields(path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    contracts = (node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef))
    for contract in contracts:
        for field, said in pairwise(contract.body):
            match field, said:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(sentence))):
                    yield (contract.name, name), " ".join(sentence.split())
                case _:
                    pass
