"""How nation, province and city combine: stricter wins and says why, replacing must be declared."""

from datetime import date
from typing import Any

import pytest

from models.contracts.pack import Pack
from models.contracts.rulebook import PackRef, Rulebook, RulesFor
from models.contracts.vocabulary import CaseKind, Combine, Event, PolicyField, PolicyKind, Role, Sector, Size
from rules.stacking import Level, contradictions, stack
from tests.rules.packs_on_paper import content, days, duty, floor

NATION, PROVINCE, CITY = "000000", "340000", "341300"
PLACES = {NATION: "全国", PROVINCE: "安徽", CITY: "宿州"}


def level(region: str, *, place: str | None = "", **parts: Any) -> Level:
    instrument = {"place": PLACES[region] if place == "" else place, "number": f"某〔2023〕{region}号"}
    pack = Pack.model_validate(content(instrument=instrument, **parts))
    return Level(PackRef(region=region, in_force_on=date(2024, 1, 1), digest=region[0] * 64), pack)


def stacked(*levels: Level, case: CaseKind = CaseKind.POLICY, **more: Any) -> Rulebook:
    asked = RulesFor(
        region=CITY, sector=Sector.HAZARDOUS_CHEMICALS, size=Size.MEDIUM, on=date(2024, 3, 1), case=case, **more
    )
    assert contradictions(levels) == ()
    return stack(levels, asked)


def clashes(*levels: Level) -> list[tuple[tuple[str | int, ...], str]]:
    return [(clash.place, clash.reason) for clash in contradictions(levels)]


@pytest.mark.obligation("SZ-27a", "AH-05a")
def test_the_higher_floor_wins_and_says_whose_it_is() -> None:
    book = stacked(level(PROVINCE, rates=floor("0.10", clause="二")), level(CITY, rates=floor("0.12")))
    bound = book.rates["prevention_spend_floor"]
    assert (bound.rate.value, bound.cites.region) == ("0.12", CITY)
    assert bound.because == "12 %：宿州 二(六) 高于 安徽 二"


def test_a_lower_floor_further_down_does_not_weaken_the_province() -> None:
    book = stacked(level(PROVINCE, rates=floor("0.125", clause="二")), level(CITY, rates=floor("0.12")))
    assert book.rates["prevention_spend_floor"].because == "12.5 %：安徽 二 高于 宿州 二(六)"


def test_a_ceiling_takes_the_smaller_one_and_replace_the_lower_level() -> None:
    down = stacked(
        level(NATION, rates=floor("0.21", combine="min")), level(CITY, rates=floor("0.20", combine="min", clause="三"))
    )
    assert down.rates["prevention_spend_floor"].because == "20 %：宿州 三 低于 全国 二(六)"
    swapped = stacked(level(NATION, rates=floor("0.21")), level(CITY, rates=floor("0.05", combine="replace")))
    assert swapped.rates["prevention_spend_floor"].rate.value == "0.05"
    assert "明示取代" in swapped.rates["prevention_spend_floor"].because


def test_equal_figures_cite_the_more_specific_level() -> None:
    book = stacked(level(NATION, rates=floor("0.12")), level(CITY, rates=floor("0.12")))
    assert book.rates["prevention_spend_floor"].cites.region == CITY
    assert "相同" in book.rates["prevention_spend_floor"].because


def test_a_floor_stacked_on_a_ceiling_or_on_another_base_is_refused() -> None:
    ceiling = level(NATION, rates=floor("0.21", combine="min"))
    assert "combine: replace" in clashes(ceiling, level(CITY, rates=floor("0.12")))[0][1]
    other = level(NATION, rates=floor("0.10", base="premium_collected"))
    assert clashes(other, level(CITY, rates=floor("0.12")))[0][0] == ("rates", "prevention_spend_floor")
    assert not clashes(other, level(CITY, rates=floor("0.12", combine=Combine.REPLACE.value)))


def test_duties_of_all_levels_are_united() -> None:
    book = stacked(level(NATION, duties=[duty(id="renewal")]), level(CITY, duties=[duty()]))
    assert [bound.duty.id for bound in book.duties] == ["renewal", "policy_upload"]
    assert all(bound.because == "" for bound in book.duties)


@pytest.mark.parametrize(
    ("upper", "lower", "kept", "because"),
    [
        (10, 7, CITY, "7 日：宿州 二(五) 严于 安徽 二(五)"),
        (5, 7, PROVINCE, "5 日：安徽 二(五) 严于 宿州 二(五)"),
        (7, 7, CITY, "7 日：宿州 二(五) 与 安徽 二(五) 相同"),
    ],
)
def test_of_one_duty_at_two_levels_the_shorter_term_holds(upper: int, lower: int, kept: str, because: str) -> None:
    above = level(PROVINCE, duties=[duty(within=days(upper))])
    book = stacked(above, level(CITY, duties=[duty(within=days(lower))]))
    assert len(book.duties) == 1
    assert (book.duties[0].cites.region, book.duties[0].because) == (kept, because)


def test_a_declared_override_replaces_even_with_a_longer_term() -> None:
    below = level(CITY, duties=[duty(within=days(30), overrides="policy_upload")])
    book = stacked(level(PROVINCE, duties=[duty()]), below)
    assert [bound.duty.within.amount for bound in book.duties] == [30]
    assert book.duties[0].because == "30 日：宿州 二(五) 明示取代 安徽 二(五)"


def test_an_override_under_another_name_takes_the_place_of_the_old_duty() -> None:
    below = level(CITY, duties=[duty(id="quick_upload", overrides="policy_upload")])
    book = stacked(level(PROVINCE, duties=[duty()]), below)
    assert [bound.duty.id for bound in book.duties] == ["quick_upload"]


def test_an_override_that_does_not_apply_to_the_case_leaves_the_upper_duty() -> None:
    below = level(CITY, duties=[duty(within=days(3), overrides="policy_upload", when={"sizes": ["large"]})])
    book = stacked(level(PROVINCE, duties=[duty()]), below)
    assert book.duties[0].cites.region == PROVINCE


def test_an_override_of_something_absent_is_refused() -> None:
    found = clashes(level(PROVINCE), level(CITY, duties=[duty(overrides="policy_uplod")]))
    assert found == [(("duties", 0, "overrides"), "overrides 指向“policy_uplod”，但上级规则中没有这一项")]


@pytest.mark.parametrize(
    "change", [{"within": {"amount": 5, "unit": "working_day"}}, {"anchor": Event.POLICY_EFFECTIVE.value}]
)
def test_terms_that_cannot_be_compared_are_refused_with_the_way_out(change: dict[str, Any]) -> None:
    found = clashes(level(PROVINCE, duties=[duty()]), level(CITY, duties=[duty(**change)]))
    assert found[0][0] == ("duties", 0, "id")
    assert "overrides: policy_upload" in found[0][1]
    assert not clashes(level(PROVINCE, duties=[duty(enabled=False)]), level(CITY, duties=[duty(**change)]))


def test_gates_and_required_fields_are_united_and_cite_the_most_specific_level() -> None:
    gate = {
        "id": "plan",
        "label": "先计划",
        "before": "service_completed",
        "needs": "plan_filed",
        "clause": "一",
        "by": "law",
    }
    wanted = {"field": "limit_per_person", "clause": "三", "by": "law"}
    other = {"field": "all_employees", "clause": "四", "by": "law"}
    upper = level(PROVINCE, gates=[gate], required_fields=[wanted])
    book = stacked(upper, level(CITY, gates=[gate], required_fields=[wanted, other]))
    assert [bound.cites.region for bound in book.gates] == [CITY]
    fields = {bound.required.field: bound.cites.region for bound in book.required_fields}
    assert fields == {PolicyField.LIMIT_PER_PERSON: CITY, PolicyField.ALL_EMPLOYEES: CITY}


def test_one_gate_with_two_contents_is_refused() -> None:
    gate = {
        "id": "plan",
        "label": "先计划",
        "before": "service_completed",
        "needs": "plan_filed",
        "clause": "一",
        "by": "law",
    }
    found = clashes(level(PROVINCE, gates=[gate]), level(CITY, gates=[{**gate, "needs": "plan_confirmed"}]))
    assert found[0][0] == ("gates", 0, "id")


def test_surrender_and_fees_keep_the_word_of_every_level() -> None:
    upper = level(
        PROVINCE,
        surrender={"lawful_reasons": ["closed_by_law", "converted"], "clause": "一", "by": "law"},
        fees={"provision_allowed": True, "clause": "二", "by": "law"},
    )
    book = stacked(upper, level(CITY, fees={"provision_allowed": False, "clause": "三", "by": "law"}))
    assert [bound.cites.region for bound in book.surrender] == [PROVINCE]
    assert [bound.fees.provision_allowed for bound in book.fees] == [True, False]


def test_a_list_of_lawful_reasons_holds_only_for_whom_it_names() -> None:
    limited = {"lawful_reasons": ["closed_by_law"], "clause": "一", "by": "law", "when": {"sectors": ["fishery"]}}
    assert stacked(level(CITY, surrender=limited)).surrender == ()
    limited["when"] = {"kinds": ["annual"]}
    assert len(stacked(level(CITY, surrender=limited)).surrender) == 1
    assert stacked(level(CITY, surrender=limited), kind=PolicyKind.PROJECT).surrender == ()


def test_two_versions_of_a_duty_may_stand_for_policies_of_two_kinds() -> None:
    city = level(
        CITY,
        duties=[duty(when={"kinds": ["annual"]}), duty(when={"kinds": ["project", "seasonal"]}, within=days(30))],
    )
    assert clashes(level(PROVINCE, duties=[duty(when={"kinds": ["project"]}, within={"amount": 1, "unit": "hour"})]),
                   level(CITY, duties=[duty(when={"kinds": ["annual"]})])) == []  # fmt: skip
    lengths = {kind: stacked(city, kind=kind).duties[0].duty.within.amount for kind in PolicyKind}
    assert lengths == {PolicyKind.ANNUAL: 7, PolicyKind.PROJECT: 30, PolicyKind.SEASONAL: 30}


def test_routes_stand_most_specific_first_and_only_for_the_sector() -> None:
    def route(role: Role, department: str, *sectors: str) -> dict[str, Any]:
        return {"role": role.value, "department": department, "sectors": list(sectors), "clause": "三", "by": "law"}

    upper = level(PROVINCE, routes=[route(Role.EMERGENCY, "省应急厅")])
    lower = level(
        CITY,
        routes=[
            route(Role.INDUSTRY, "human_queue"),
            route(Role.INDUSTRY, "住建局", "housing_construction"),
            route(Role.INDUSTRY, "应急局", "hazardous_chemicals"),
        ],
    )
    found = [(bound.region, bound.route.department) for bound in stacked(upper, lower).routes]
    assert found == [(CITY, "应急局"), (CITY, "human_queue"), (PROVINCE, "省应急厅")]


def test_a_clause_of_another_document_is_cited_by_that_document() -> None:
    book = stacked(level(NATION, duties=[duty(document="AQ 9010-2019")]))
    assert book.duties[0].cites.number == "AQ 9010-2019"


def test_a_pack_without_a_place_name_is_called_by_its_number() -> None:
    book = stacked(level(NATION, rates=floor("0.10")), level(CITY, place=None, rates=floor("0.12")))
    assert book.rates["prevention_spend_floor"].because == "12 %：某〔2023〕341300号 二(六) 高于 全国 二(六)"
