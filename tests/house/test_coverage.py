"""The page of proved obligations says what is so, and nobody proves an obligation that no notice has."""

import json

from typer.testing import CliRunner

from rules.library import Library
from runtime.cli import app
from runtime.coverage import PAGE, Standing, covered, marks, named, page, written

IDS = {number for notice in written().values() for number in notice["obligations"]}
ACTIONS = {"TIMER", "RECORD", "NOTIFY", "GATE", "SCORE", "REPORT", "ROUTE", "CONFIG", "NONE"}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(covered()), "anze coverage --write"


def test_no_pack_and_no_test_speaks_of_an_obligation_that_does_not_exist() -> None:
    assert {one for loaded in Library().packs() for one in named(loaded.pack)} - IDS == set()
    assert set(marks()) - IDS == set()


def test_every_obligation_says_what_it_asks_for() -> None:
    actions = [set(one["actions"]) for notice in written().values() for one in notice["obligations"].values()]
    assert all(asked and asked <= ACTIONS for asked in actions)


def test_what_is_only_recorded_is_not_called_proved() -> None:
    for notice in covered():
        assert all(one.tests for one in notice.standing(Standing.PROVED))
        assert all(one.recorded and not one.tests for one in notice.standing(Standing.RECORDED))
        assert sum(len(notice.standing(standing)) for standing in Standing) == len(notice.obligations)


def test_programs_read_the_same_as_people() -> None:
    answer = CliRunner().invoke(app, ["coverage", "--json"])
    assert answer.exit_code == 0
    suzhou = json.loads(answer.stdout)[0]
    assert (suzhou["place"], "SZ-20" in suzhou["proved"]) == ("宿州", True)
    assert "宿州" in CliRunner().invoke(app, ["coverage"]).stdout
