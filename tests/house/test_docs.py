"""What the documents say must be so: generated parts are fresh, links lead somewhere, commands and settings exist."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from runtime import documents
from runtime.commands.rules import app as rules_app
from runtime.pictures.lives import SPOTS
from runtime.settings import PROJECT_ROOT, Settings

PAGES = sorted([*PROJECT_ROOT.glob("*.md"), *(PROJECT_ROOT / "docs").rglob("*.md"), PROJECT_ROOT / "rules/README.md"])
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
TARGETS = set(re.findall(r"^([a-z]+):", (PROJECT_ROOT / "Makefile").read_text(), re.MULTILINE))
MADE = re.compile(r"(?:`|^\s*(?:\$ )?)make ([a-z]+)", re.MULTILINE)
PORTS = tuple(name for name in Settings.model_fields if name.endswith("_port") and "metrics" not in name)


def page_name(page: Path) -> str:
    return str(page.relative_to(PROJECT_ROOT))


def test_pictures_glossary_and_problem_codes_are_what_make_docs_would_write() -> None:
    assert [page_name(path) for path in documents.stale()] == []


def test_every_word_is_explained_and_no_other_is() -> None:
    said = yaml.safe_load((documents.DOCS / "words.yaml").read_text(encoding="utf-8"))
    known = {words.__name__: {word.value for word in words} for words in documents.vocabularies()}
    assert {name: set(entry["words"]) for name, entry in said.items()} == known


def test_every_stage_of_a_hazard_has_its_place_in_the_picture() -> None:
    assert set(SPOTS) == set(documents.vocabulary.HazardStage)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_between_documents_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_make_command_named_exists(page: Path) -> None:
    assert set(MADE.findall(page.read_text(encoding="utf-8"))) <= TARGETS


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_setting_named_is_read(page: Path) -> None:
    named = set(re.findall(r"\bANZE_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8")))
    read = set(Settings().model_copy(update=dict.fromkeys(Settings.model_fields, "x")).as_environment())
    deployment_only = {"ANZE_OWNER_PASSWORD", "ANZE_APP_PASSWORD", "ANZE_BACKUP_PASSWORD"}
    of_commands = {"ANZE_API_KEY"}
    assert named - read - deployment_only - of_commands == set()


@pytest.mark.parametrize("name", PORTS)
def test_the_readme_names_the_port_a_setting_defaults_to(name: str) -> None:
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    assert str(Settings.model_fields[name].default) in readme


def test_pictures_are_small_enough_to_load_on_a_slow_line() -> None:
    heavy = {path.name for path in documents.PICTURES.glob("*.png") if path.stat().st_size > 300_000}
    assert heavy == set()


def test_the_smallest_city_of_the_readme_passes_its_example(tmp_path: Path) -> None:
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"<!-- example: (\w+) -->\n```yaml\n(.*?)```", readme, re.DOTALL))
    place = tmp_path / "999900_shili"
    place.mkdir()
    (place / "2026-01-01.yaml").write_text(blocks["pack"], encoding="utf-8")
    (place / "examples.yaml").write_text(blocks["examples"], encoding="utf-8")
    ran = CliRunner().invoke(rules_app, ["examples", str(place / "examples.yaml"), "--packs", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
