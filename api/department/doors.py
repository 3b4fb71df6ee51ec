"""Everything a department may do with a matter it was told about, one line each."""

from api.department.answers import short
from api.doors import Door, Example
from models.contracts.base import Command
from models.contracts.case import AcknowledgeDuty, AnswerDuty, PassOn, TakeOverDuty
from models.contracts.vocabulary import CaseKind

TAG = "部门 / departments"
SAID: tuple[tuple[str, type[Command], str, str, str], ...] = (
    ("acknowledgements", AcknowledgeDuty, "acknowledge", "签收", "Acknowledge a notice: its repeats end"),
    ("takeovers", TakeOverDuty, "take_over", "接手", "Take the matter over: its ladder stops"),
    ("answers", AnswerDuty, "answer", "答复处理情况", "Tell what was done"),
    ("handovers", PassOn, "pass_on", "转办", "Pass the matter on to the department it belongs to"),
)
DUTY_OF = {
    CaseKind.POLICY: "policy_upload",
    CaseKind.HAZARD: "major_hazard_report",
    CaseKind.CLAIM: "claim_determination",
}
MORE: dict[str, dict[str, str]] = {
    "answer": {"answer": "已约谈该保险机构，要求三日内上传。"},
    "pass_on": {"to_region": "341302", "to_department": "应急管理局", "reason": "企业在埇桥区，按属地办理。"},
}


def _example(kind: CaseKind, update: str) -> Example:
    return lambda today: {"duty": DUTY_OF[kind], **MORE.get(update, {"note": "已收悉"})}


DOORS: tuple[Door, ...] = tuple(
    Door(kind, path, command, update, f"{summary}（{kind.label}）", english, _example(kind, update), TAG, short)
    for kind in (CaseKind.POLICY, CaseKind.HAZARD, CaseKind.CLAIM)
    for path, command, update, summary, english in SAID
)
