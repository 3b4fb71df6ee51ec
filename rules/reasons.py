"""Why one level's version of a rule holds, in Chinese; which one holds is decided in stacking.py."""

from decimal import Decimal

from models.contracts.duty import Duty
from models.contracts.pack import Rate
from models.contracts.rulebook import Citation
from models.contracts.vocabulary import RateBase

NATION = "全国"


def place_name(region: str, place: str | None, number: str) -> str:
    """A place in a word as its pack names it; without one, the number of the notice speaks for it."""
    return place or (NATION if region == "000000" else number)


def length(duty: Duty) -> str:
    """45 日; 合同约定的小额快付天数 where only the contract gives the length."""
    if duty.agreed and not duty.within.amount:
        return f"合同约定的{duty.agreed.label}"
    return f"{duty.within.amount} {duty.within.unit.label}"


def figure(rate: Rate) -> str:
    """12 % for a share, 400000 元 for an amount."""
    if rate.base is RateBase.PER_PERSON:
        return f"{plain(rate.amount)} 元"
    return f"{plain(rate.amount * 100)} %"


def plain(amount: Decimal) -> str:
    """A number without trailing zeros and without an exponent."""
    return f"{amount.normalize():f}"


def cited(names: dict[str, str], cites: Citation) -> str:
    """宿州 二(六)"""
    return f"{names.get(cites.region, cites.number)} {cites.clause}"


def higher(value: str, winner: str, loser: str) -> str:
    return f"{value}：{winner} 高于 {loser}"


def lower(value: str, winner: str, loser: str) -> str:
    return f"{value}：{winner} 低于 {loser}"


def same(value: str, winner: str, loser: str) -> str:
    return f"{value}：{winner} 与 {loser} 相同"


def stricter(value: str, winner: str, loser: str) -> str:
    return f"{value}：{winner} 严于 {loser}"


def replaced(value: str, winner: str, loser: str) -> str:
    return f"{value}：{winner} 明示取代 {loser}"


def absent(target: str) -> str:
    return f"overrides 指向“{target}”，但上级规则中没有这一项"


def incomparable(ident: str, upper: str) -> str:
    return (
        f"“{ident}”与 {upper} 的同名义务单位或起算事件不同，无法判断何者更严；如意在取代上级，请写 overrides: {ident}"
    )


def clashing_rates(ident: str, upper: str) -> str:
    return f"“{ident}”与 {upper} 的计算基数或叠加方式不同，无法叠加；如意在取代上级，请写 combine: replace"


def clashing_gates(ident: str, upper: str) -> str:
    return f"“{ident}”与 {upper} 的同名前置条件内容不同；如意在取代上级，请写 overrides: {ident}"
