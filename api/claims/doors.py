"""Everything an insurer may do with its claims, one line each, with an example that passes."""

from datetime import date, timedelta
from typing import Any

from api.doors import Door, Example, fixed
from api.insurer.doors import attachment
from models.contracts import claim
from models.contracts.base import Command
from models.contracts.case import ExtendDuty
from models.contracts.vocabulary import CaseKind

TAG = "理赔 / claims"
SAMPLE_VICTIM = "0b6f3d0c-5a8e-4a56-9c0e-7a6f3a1d2c11"
"""The opaque reference the examples name a victim by; a real one is given out by the victims' shelf."""


def report(today: date) -> dict[str, Any]:
    """An accident of yesterday with one serious injury; all documents are there."""
    return {
        "number": "C-2026-000001",
        "accident": {
            "at": f"{today - timedelta(days=1)}T10:20:00+08:00",
            "place": "一号生产车间",
            "happened": "反应釜检修时发生灼烫，一名从业人员受伤送医。",
            "kind": "general",
            "deaths": 0,
            "serious_injuries": 1,
            "direct_loss": "60000.00",
        },
        "documents_complete": True,
    }


def losses(person: str = SAMPLE_VICTIM) -> list[dict[str, Any]]:
    """A disability of the eighth grade and its treatment."""
    disability = {"id": "L-1", "head": "employee_disability", "amount": "90000.00", "person": person, "grade": 8}
    return [disability, {"id": "L-2", "head": "medical", "amount": "12000.00", "person": person}]


def payment(person: str = SAMPLE_VICTIM) -> dict[str, Any]:
    """Both losses of one victim in one payment, proposed by one person of the insurer."""
    lines = [{name: one[name] for name in ("head", "amount", "person")} | {"line": one["id"]} for one in losses(person)]
    return {"number": "P-2026-000001", "kind": "settlement", "lines": lines, "by_user": "U1001"}


def _door(path: str, command: type[Command], update: str, said: tuple[str, str], example: Example) -> Door:
    return Door(CaseKind.CLAIM, path, command, update, *said, example, TAG)


DOORS: tuple[Door, ...] = (
    _door(
        "casualties",
        claim.UpdateCasualties,
        "update_casualties",
        ("更新伤亡和损失", "Casualties or loss have changed"),
        fixed(casualties={"deaths": 0, "serious_injuries": 1, "direct_loss": "75000.00"}, note="损失重新统计"),
    ),
    _door(
        "document-requests",
        claim.RequestDocuments,
        "request_documents",
        ("一次性通知补充材料", "Ask for all missing documents, once"),
        fixed(documents=["劳动能力鉴定结论", "医疗费用票据"]),
    ),
    _door(
        "documents",
        claim.ReceiveDocuments,
        "receive_documents",
        ("登记收到材料", "Record documents that arrived"),
        lambda today: {"complete": True, "documents": ["医疗费用票据"], "files": [attachment("票据.pdf")]},
    ),
    _door(
        "survey",
        claim.RecordSurvey,
        "record_survey",
        ("登记查勘", "Record what the survey found"),
        fixed(facts_true=True, liability_clear=True, note="事实清楚，属于保险责任。"),
    ),
    _door(
        "assessment",
        claim.AssessLoss,
        "assess_loss",
        ("定损", "Assess the whole loss, line by line"),
        lambda today: {"lines": losses(), "note": "按鉴定结论和票据"},
    ),
    _door(
        "path",
        claim.ChoosePath,
        "choose_path",
        ("选定理赔路径", "A person chooses the path"),
        fixed(path="ordinary", reason="人工确定按普通程序办理"),
    ),
    _door(
        "limits",
        claim.SetLimits,
        "set_limits",
        ("确认责任限额", "A person settles the limits of liability"),
        fixed(
            limits={"per_person": "600000.00", "per_accident": "5000000.00", "aggregate": "10000000.00"},
            reason="按批单核对",
        ),
    ),
    _door(
        "determination",
        claim.DetermineClaim,
        "determine",
        ("核定", "Determine whether the accident is covered"),
        fixed(covered=True, note="属于保险责任"),
    ),
    _door(
        "settlement",
        claim.AgreeSettlement,
        "agree_settlement",
        ("达成赔偿协议", "Agree on the sum"),
        lambda today: {"amount": "102000.00", "agreement": attachment("赔偿协议.pdf")},
    ),
    _door(
        "refusal",
        claim.RefuseClaim,
        "refuse_claim",
        ("拒赔", "Serve the refusal notice with its reasons"),
        lambda today: {
            "reasons": "事故发生在除外责任范围之内。",
            "clause": "保险条款第七条",
            "notice": attachment("拒赔通知书.pdf"),
        },
    ),
    _door(
        "payments",
        claim.ProposePayment,
        "propose_payment",
        ("提出付款", "Propose a payment"),
        lambda today: payment(),
    ),
    _door(
        "payments/approval",
        claim.ApprovePayment,
        "approve_payment",
        ("审批付款并发出指令", "Approve a payment; it is then instructed"),
        fixed(number="P-2026-000001", by_user="U1002"),
    ),
    _door(
        "payments/voiding",
        claim.VoidPayment,
        "void_payment",
        ("作废付款", "Give up a payment that was not instructed, or that failed"),
        fixed(number="P-2026-000001", reason="收款账户有误"),
    ),
    _door(
        "payments/returns",
        claim.SetOffAdvance,
        "set_off_advance",
        ("垫付冲抵或者追回", "Set an advance off, or record money that came back"),
        fixed(number="P-2026-000002", how="set_off", amount="20000.00", note="冲抵赔款"),
    ),
    _door(
        "result-upload",
        claim.UploadResult,
        "upload_result",
        ("上传理赔结果", "Upload the result to the platform of the place"),
        fixed(receipt="LP-2026-0001"),
    ),
    _door(
        "closing",
        claim.CloseClaim,
        "close_claim",
        ("结案", "Close the claim"),
        fixed(note="赔款付清，资料归档"),
    ),
    _door(
        "reopening",
        claim.ReopenClaim,
        "reopen_claim",
        ("重开案件", "Take the claim up again"),
        fixed(reason="受害人补充鉴定结论"),
    ),
    _door(
        "withdrawal",
        claim.WithdrawClaim,
        "withdraw_claim",
        ("撤案", "The claimant gives the claim up"),
        fixed(reason="被保险人书面撤回索赔"),
    ),
    _door(
        "litigation",
        claim.RecordLitigation,
        "record_litigation",
        ("登记诉讼或者仲裁的结果", "Record how a dispute about the claim ended"),
        lambda today: {
            "number": "（2026）皖1302民初1号",
            "responsible": False,
            "note": "驳回原告的诉讼请求",
            "document": attachment("判决书.pdf"),
        },
    ),
    _door(
        "extensions",
        ExtendDuty,
        "extend",
        ("理赔期限延期", "Extend a term of the claim before it is due"),
        fixed(duty="claim_result_upload", days=2, reason="平台检修"),
    ),
)
