"""Every word the API says of claims alone: questions and answers of the explanation, what a ledger must satisfy."""

from typing import Self

from models.contracts.vocabulary import Word

LAW = "保险法"


class Explained(Word):
    """Words of the explanation; where a question has one clause by law, it stands beside it."""

    clause: str

    def __new__(cls, value: str, label: str, clause: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.clause = label, clause
        return member

    PATH = "path", "为什么走这条路径"
    GRADE = "grade", "为什么是这个事故等级", "国务院令第493号 第三条"
    AMOUNT = "amount", "为什么是这个金额", f"{LAW} 第二十三条第一款"
    BY_PERSON = "by_person", "人工选定"
    BY_RULE = "by_rule", "按规则判定"
    SUITS = "suits", "条件具备"
    SUITS_NOT = "suits_not", "条件不具备"
    MISSING = "missing", "合同和本机构规则均未设定"
    NOT_AGREED = "not_agreed", "未设定"
    LIMITS_UNKNOWN = "limits_unknown", "责任限额不明，待人工确认"
    ASSESSED = "assessed", "定损合计"
    DETERMINED = "determined", "其中可以确定"
    PAID = "paid", "已付赔款"
    PREPAID = "prepaid", "已预付和先予支付"
    ADVANCED = "advanced", "已紧急垫付（单列）"
    SET_OFF = "set_off", "其中已冲抵赔款"
    RECOVERED = "recovered", "已追回"
    PENDING = "pending", "待审批、在途或者待核实"
    OPEN = "open", "尚待支付"
    DUTY_OPEN = "duty_open", "在计"
    DUTY_MET = "duty_met", "已履行"
    DUTY_STOPPED = "duty_stopped", "已终止"
    PROPOSED_BY = "proposed_by", "提出人"
    APPROVED_BY = "approved_by", "审批人"
    REFERENCE = "reference", "银行流水号"
    FAILED = "failed", "未能支付"
    VOIDED = "voided", "作废原因"


FIGURES: dict[str, tuple[str, str]] = {
    "determination_days": ("核定的时限（短于法定三十日的）", "日"),
    "payment_days": ("付款的时限（短于法定十日的）", "日"),
    "small_fast_threshold": ("小额快付的金额上限", ""),
    "small_fast_days": ("小额快付的时限", "日"),
    "large_prepay_days": ("大额预付的时限", "日"),
    "emergency_cap": ("紧急垫付的金额上限", ""),
    "emergency_purposes": ("紧急垫付的用途", ""),
    "emergency_hours": ("紧急垫付的时限", "小时"),
    "four_eyes_above": ("须由第二人审批的金额", ""),
}
"""Figures that stand in no notice: how each is asked for, and its unit."""

CHECKS: dict[str, tuple[str, str]] = {
    "once": ("每个付款编号只用一次", "系统约定"),
    "loss": ("赔款、预付和垫付合计不超过限额内的核定损失", f"{LAW} 第二十三条第一款"),
    "pots": ("各类损失不超过各自的责任限额", f"{LAW} 第五十七条、第六十四条、第六十六条"),
    "persons": ("每人所得不超过每人责任限额", "保险合同"),
    "references": ("每笔到账均有银行流水号", "系统约定"),
    "four_eyes": ("须双人审批的付款均由两人经办", "本机构规则或者系统约定"),
    "settled": ("完成时，赔款、预付和垫付减去追回，等于限额内的核定损失", f"{LAW} 第二十三条第一款"),
}
"""What must hold of the money, in the order of the ledger, with where it stands."""

PREVENTION = "事故前已发现隐患 {hazards} 项，其中事故时未销号 {unsettled} 项；开展服务 {services} 次。"
NO_PREVENTION = "事故前没有隐患和服务的记录。"
VICTIM_KNOWN = "同一身份证件已在本保单的赔案中登记，编号为 {ref}，请使用该编号。"
UNKNOWN_VICTIM = "受害人编号不存在，请先登记受害人。"
WHY_NEEDED = "查看原文须写明事由"

CLAIM_REFUSALS: dict[str, str] = {
    "advance_open": "尚有紧急垫付未冲抵或者追回",
    "below_paid": "低于已付或者在途的金额",
    "books_uneven": "已付净额与应付不符",
    "different_standard": "同一事故的从业人员赔付标准不一",
    "documents_asked_already": "补充材料只能一次性通知",
    "documents_complete": "材料已经齐备",
    "four_eyes": "须由提出人以外的人审批",
    "limits_unknown": "责任限额不明",
    "line_twice": "同一损失项重复",
    "line_undetermined": "损失项尚未确定",
    "line_unknown": "损失项与定损不符",
    "money_out": "已付款项尚未全部追回",
    "mixed_pots": "一笔付款涉及不同的限额",
    "not_assessed": "损失尚未全部核定",
    "not_determined": "尚未核定属于保险责任",
    "not_in_force": "事故不在保险期间之内",
    "not_instructed": "该笔付款尚未发出指令",
    "not_surveyed": "查勘尚未认定事故真实",
    "nothing_uploaded": "没有上传的文件或者回执号",
    "number_used": "付款编号已使用",
    "one_standard": "从业人员赔付标准不一",
    "over_advance": "超过可冲抵的垫付",
    "over_aggregate": "超过累计责任限额",
    "over_ceiling": "超过该路径允许的金额",
    "over_costs": "超过鉴定和诉讼费用限额",
    "over_limit": "超过责任限额",
    "over_line": "超过该损失项核定的金额",
    "over_loss": "超过限额内的核定损失",
    "over_payment": "超过该笔付款的金额",
    "over_per_accident": "超过每次事故责任限额",
    "over_per_person": "超过每人责任限额",
    "over_rescue": "超过施救费用限额",
    "path_figures_missing": "该路径所需的数额没有约定",
    "path_not_suitable": "不符合该路径的条件",
    "payee_required": "须指明收款人",
    "payee_unfit": "收款人与损失不符",
    "payment_disputed": "付款结果矛盾尚未查清",
    "payment_not_allowed": "目前不能办理该类付款",
    "payment_number_used": "付款编号已使用",
    "payments_open": "尚有未了结的付款",
    "reference_used": "银行流水号已用于另一笔付款",
    "settlement_differs": "协议金额与核定损失不符",
    "unknown_payment": "本案没有这笔付款",
    "victims_first": "被保险人尚未向受害人赔偿",
    "wrong_status": "该笔付款目前不能这样办理",
}
"""What each refusal of a claim means in general."""
