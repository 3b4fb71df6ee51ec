"""The sample claims can be read and told: all paths, a change, a refusal, sixty days, twelve victims; all fictional."""

from typing import Any

import pytest
import yaml
from stdnum.cn import uscc

from api.claims.doors import DOORS
from models.contracts.claim import Accident
from models.contracts.claim_terms import ClaimTerms
from models.contracts.payment import LossLine
from models.contracts.vocabulary import PaymentKind
from runtime.demo.claims import SAMPLE
from runtime.samples import read_directory

SAID = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
CLAIMS = {one["story"]: one for one in SAID["claims"]}
DEEDS = {"do", "post", "losses", "pay", "pay_each"}
VICTIM = "0b6f3d0c-5a8e-4a56-9c0e-7a6f3a1d2c11"


def acts(claim: dict[str, Any], deed: str) -> list[Any]:
    return [act[deed] for act in claim["acts"] if deed in act]


def test_every_path_a_change_a_refusal_sixty_days_and_twelve_victims_are_told() -> None:
    assert set(CLAIMS) == {
        "普通理赔", "小额快付", "大额预付", "紧急垫付", "路径变更", "拒赔", "六十日先予支付", "群伤事故",
    }  # fmt: skip
    assert CLAIMS["群伤事故"]["victims"] == 12
    kinds = {PaymentKind(pay["kind"]) for claim in CLAIMS.values() for pay in acts(claim, "pay")}
    assert kinds == set(PaymentKind)


@pytest.mark.parametrize("story", CLAIMS)
def test_each_act_is_something_the_api_takes(story: str) -> None:
    claim = CLAIMS[story]
    paths = {door.path for door in DOORS}
    assert set(acts(claim, "post")) <= paths
    days = [act["day"] for act in claim["acts"]]
    assert days == sorted(days)
    assert all(len(set(act) & DEEDS) == 1 and act["said"] for act in claim["acts"])
    Accident.model_validate({**claim["accident"], "at": "2026-01-02T09:40:00+08:00"})
    for lines in acts(claim, "losses"):
        for line in lines:
            plain = {name: value for name, value in line.items() if name != "victims"}
            LossLine.model_validate({**plain, **({"person": VICTIM} if "victims" in line else {})})


def test_the_figures_of_the_fast_paths_are_the_contracts() -> None:
    terms = ClaimTerms.model_validate(SAID["terms"]["claim_terms"])
    figures = [figure for _, figure in terms if figure is not None]
    assert {figure.by.value for figure in figures} == {"contract"}
    assert all("样例" in figure.source for figure in figures)


def test_everybody_is_fictional() -> None:
    insurers = {one.code for one in read_directory().insurers}
    for claim in CLAIMS.values():
        insured = claim["insured"]
        assert claim["insurer"] in insurers
        assert uscc.is_valid(insured["credit_code"])
        assert insured["email"].endswith(".example")
        assert "（样例）" in insured["name"]
