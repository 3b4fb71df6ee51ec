"""National laws and measures side by side, each with its own dates; and how levels add up what a claim path needs."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from models.contracts.rulebook import Rulebook, RulesFor
from models.contracts.vocabulary import CaseKind, ClaimPath, PathFact, PathFigure, Sector, Size
from rules.findings import RulesRefused
from rules.library import Library
from tests.rules.packs_on_paper import days, duty, write

LAW, MEASURES, CITY = "000000_law", "000000_measures", "341300_suzhou_ah"
DETERMINE = duty(id="claim_determination", anchor="claim_reported", met_by=["claim_determined"], within=days(30))
FAST: dict[str, Any] = {"path": "small_fast", "clause": "二十三", "by": "product"}


def library(*roots: Path) -> Library:
    return Library(roots[0], roots[0] / "calendars", roots[1:])


def claim(read: Library, region: str = "341300", on: str = "2024-06-01") -> Rulebook:
    asked = RulesFor(
        region=region, sector=Sector.FIREWORKS, size=Size.SMALL, on=date.fromisoformat(on), case=CaseKind.POLICY
    )
    packs = read.resolve(asked).rulebook.packs
    return read.resolve(asked.model_copy(update={"case": CaseKind.CLAIM, "packs": packs})).rulebook


def test_a_law_and_the_measures_hold_side_by_side(tmp_path: Path) -> None:
    write(tmp_path, LAW, "2015-04-24", duties=[DETERMINE])
    write(tmp_path, MEASURES, "2020-02-01", duties=[duty()], instrument={"ends_on": "2025-03-28"})
    write(tmp_path, MEASURES, "2025-03-29", duties=[duty(within=days(5))])
    read = library(tmp_path)
    assert [len(read.pack_for("110000", date(year, 6, 1))) for year in (2014, 2016, 2021, 2025)] == [0, 1, 2, 2]
    for on in ("2016-06-01", "2021-06-01", "2025-06-01"):
        assert [bound.duty.within.amount for bound in claim(read, on=on).duties] == [30]


def test_a_claim_obeys_the_law_its_policy_was_pinned_to(tmp_path: Path) -> None:
    write(tmp_path, LAW, "2015-04-24", duties=[DETERMINE])
    write(tmp_path, LAW, "2026-01-01", duties=[duty(**{**DETERMINE, "within": days(20)})])
    read = library(tmp_path)
    assert [claim(read, on=on).duties[0].duty.within.amount for on in ("2025-12-31", "2026-01-01")] == [30, 20]


def test_a_further_national_folder_replaces_its_namesake_only(tmp_path: Path) -> None:
    write(tmp_path / "a", LAW, duties=[DETERMINE])
    write(tmp_path / "a", MEASURES, duties=[duty()])
    write(tmp_path / "b", LAW, duties=[duty(**{**DETERMINE, "within": days(10)})])
    read = library(tmp_path / "a", tmp_path / "b")
    assert len(read.pack_for("110000", date(2024, 6, 1))) == 2
    assert claim(read).duties[0].duty.within.amount == 10


def test_one_duty_in_two_national_folders_must_not_contradict_itself(tmp_path: Path) -> None:
    write(tmp_path, LAW, duties=[DETERMINE])
    write(tmp_path, MEASURES, duties=[duty(**{**DETERMINE, "within": {"amount": 5, "unit": "working_day"}})])
    with pytest.raises(RulesRefused, match="overrides: claim_determination"):
        library(tmp_path)


def test_all_that_any_level_demands_of_a_path_holds_and_the_lowest_level_is_cited(tmp_path: Path) -> None:
    write(tmp_path, LAW, paths=[{**FAST, "facts": ["facts_true"], "figures": ["small_fast_days"]}])
    write(tmp_path, CITY, paths=[{**FAST, "facts": ["liability_clear", "facts_true"], "clause": "二(四)", "by": "law"}])
    bound = claim(library(tmp_path)).path(ClaimPath.SMALL_FAST)
    assert bound
    assert bound.rule.facts == (PathFact.FACTS_TRUE, PathFact.LIABILITY_CLEAR)
    assert bound.rule.figures == (PathFigure.SMALL_FAST_DAYS,)
    assert (bound.cites.region, bound.cites.clause) == ("341300", "二(四)")
    assert claim(library(tmp_path)).path(ClaimPath.LARGE_PREPAY) is None


def test_a_policy_carries_no_paths(tmp_path: Path) -> None:
    write(tmp_path, LAW, paths=[FAST])
    asked = RulesFor(region="110000", sector=Sector.OTHER, size=Size.SMALL, on=date(2024, 6, 1), case=CaseKind.POLICY)
    assert library(tmp_path).resolve(asked).rulebook.paths == ()


def test_an_unknown_fact_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path, LAW, paths=[{**FAST, "facts": ["fact_true"]}])
    with pytest.raises(RulesRefused, match="未知的路径条件“fact_true”，是否指 facts_true"):
        library(tmp_path)
