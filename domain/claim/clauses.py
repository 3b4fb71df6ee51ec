"""Which clause of national law stands behind which rule of a claim; figures of places and contracts are not here."""

from domain.wording import citation
from models.contracts.claim_state import ClaimState
from models.contracts.vocabulary import ClaimPath

ONE_REQUEST = "保险法 第二十二条第二款"
DETERMINATION = "保险法 第二十三条第一款"
REFUSAL = "保险法 第二十四条"
DETERMINABLE_PART = "保险法 第二十五条"
RESCUE = "保险法 第五十七条"
APPRAISAL = "保险法 第六十四条"
VICTIMS_FIRST = "保险法 第六十五条"
LITIGATION = "保险法 第六十六条"
GRADES = "国务院令第493号 第三条"
SUPPLEMENTS = "国务院令第493号 第十三条"
REPORTING = "国务院令第493号 第九条"
PRODUCT = "系统约定"
XIAMEN = "350200"


def of_path(state: ClaimState, path: ClaimPath, otherwise: str) -> str:
    """The clause of the most specific notice that speaks of a path; else the national one."""
    bound = state.rulebook.path(path)
    return citation(bound.cites) if bound else otherwise


def one_standard(state: ClaimState) -> str:
    """Xiamen orders one standard for all employees of a unit, 二(四); elsewhere it is our choice."""
    known = [held.cites for held in (*state.rulebook.paths, *state.rulebook.duties)]
    number = next((cites.number for cites in known if cites.region == XIAMEN), "")
    return f"{number} 二(四)" if number else PRODUCT
