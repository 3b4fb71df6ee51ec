"""Everything an insurer may do with its policies and hazards, one line each, with an example that passes."""

from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from api.doors import Door, Example, fixed
from models.contracts import hazard, policy
from models.contracts.base import Command
from models.contracts.case import ExtendDuty
from models.contracts.vocabulary import CaseKind

SAMPLE_FILE = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
)
"""The file the examples refer to; post it to /v1/files and every example can be sent as it stands."""
SAMPLE_DIGEST = sha256(SAMPLE_FILE).hexdigest()


def attachment(name: str) -> dict[str, str]:
    return {"digest": SAMPLE_DIGEST, "name": name, "media_type": "application/pdf"}


def application(today: date) -> dict[str, Any]:
    """A policy signed four days ago in 宿州, of a medium-sized maker of hazardous chemicals."""
    signed, begins = today - timedelta(days=4), today - timedelta(days=3)
    return {
        "terms": {
            "number": "PA-2026-000001",
            "region": "341300",
            "sector": "hazardous_chemicals",
            "size": "medium",
            "signed_at": f"{signed}T09:30:00+08:00",
            "effective_on": str(begins),
            "expires_on": str(begins + timedelta(days=364)),
            "premium_total": "86000.00",
            "headcount": 128,
            "insured_headcount": 128,
            "limit_per_person": "600000.00",
            "service_items": ["hazard_inspection", "training"],
            "services_per_year": 2,
            "filed_clause": "C00001732512023010112345",
        },
        "insured": {
            "name": "宿州皖北精细化工有限公司",
            "credit_code": "91341300MA2NXR5T8H",
            "email": "anquan@wanbei-chem.example",
        },
    }


def visit(today: date) -> dict[str, Any]:
    return {
        "number": "V-001",
        "on": str(today),
        "items": ["hazard_inspection"],
        "place": "一号生产车间",
        "staff_count": 2,
        "summary": "检查反应釜区与危化品仓库，发现一处问题。",
        "record": attachment("服务记录.pdf"),
        "hazards": [
            {
                "number": "H-001",
                "description": "可燃气体报警器未按期检定",
                "grade": "ordinary",
                "place": "二号仓库",
                "due_on": str(today + timedelta(days=10)),
            }
        ],
    }


def _dated(make: Callable[[str], dict[str, Any]]) -> Example:
    return lambda today: make(str(today))


def _policy(path: str, command: type[Command], update: str, said: tuple[str, str], example: Example) -> Door:
    return Door(CaseKind.POLICY, path, command, update, *said, example, "保单 / policies")


def _hazard(path: str, command: type[Command], update: str, said: tuple[str, str], example: Example) -> Door:
    return Door(CaseKind.HAZARD, path, command, update, *said, example, "隐患 / hazards")


DOORS: tuple[Door, ...] = (
    _policy(
        "upload",
        policy.UploadPolicy,
        "upload",
        ("上传电子保单", "Upload the electronic policy"),
        fixed(file=attachment("电子保单.pdf")),
    ),
    _policy(
        "provider",
        policy.NameProvider,
        "name_provider",
        ("确定服务机构", "Name the service institution or expert"),
        fixed(provider_name="安徽安全技术服务有限公司", qualification="APJ-(皖)-001"),
    ),
    _policy(
        "plan",
        policy.FilePlan,
        "file_plan",
        ("提交服务计划", "File the service plan"),
        fixed(
            items=["hazard_inspection", "training"], services_per_year=2, goals="全年两次隐患排查，一次全员安全培训。"
        ),
    ),
    _policy(
        "plan/confirmation",
        policy.ConfirmPlan,
        "confirm_plan",
        ("记录投保单位确认计划", "Record that the insured agrees with the plan"),
        fixed(note="投保单位已盖章确认"),
    ),
    _policy("visits", policy.RecordVisit, "record_visit", ("记录一次服务", "Record a service visit"), visit),
    _policy(
        "service-completion",
        policy.CompleteService,
        "complete_service",
        ("服务完成", "Complete the service of the signing term"),
        fixed(confirmed_by_insured=True, report=attachment("服务报告.pdf")),
    ),
    _policy(
        "spend",
        policy.RecordSpend,
        "record_spend",
        ("列支事故预防服务费", "Record money spent on prevention"),
        _dated(
            lambda on: {
                "number": "F-001",
                "amount": "3500.00",
                "purpose": "hazard_inspection",
                "on": on,
                "evidence": attachment("发票.pdf"),
            }
        ),
    ),
    _policy(
        "suspensions",
        policy.SuspendClock,
        "suspend",
        ("中止计时", "Suspend the clock"),
        _dated(lambda on: {"reason": "production_stopped", "note": "企业停产检修", "from_on": on}),
    ),
    _policy(
        "resumption",
        policy.ResumeClock,
        "resume",
        ("恢复计时", "Resume the clock"),
        _dated(lambda on: {"last_day_on": on, "note": "企业已复产"}),
    ),
    _policy(
        "extensions",
        ExtendDuty,
        "extend",
        ("申请延期", "Extend a duty before it is due"),
        fixed(duty="service_completion", days=10, reason="设备大修，投保单位书面申请"),
    ),
    _policy(
        "excuses",
        policy.ExcuseDuty,
        "excuse",
        ("说明未履行的理由", "Give the reason why an excusable duty was not done"),
        fixed(duty="first_service", reason="投保单位停产，书面说明在案"),
    ),
    _policy(
        "endorsements",
        policy.EndorsePolicy,
        "endorse",
        ("批改", "Endorse the contract"),
        lambda today: {"number": "E-001", "effective_on": str(today), "reason": "增加从业人员", "headcount": 140},
    ),
    _policy(
        "surrender",
        policy.SurrenderPolicy,
        "surrender",
        ("退保", "Surrender, for lawful reasons only"),
        _dated(
            lambda on: {
                "reason": "fully_stopped",
                "on": on,
                "note": "企业注销",
                "evidence": attachment("停产证明.pdf"),
            }
        ),
    ),
    _policy(
        "renewal",
        policy.RenewPolicy,
        "renew",
        ("续保", "Record the renewal"),
        fixed(next_number="PA-2027-000001"),
    ),
    _policy(
        "out-of-area-filing",
        policy.FileOutOfArea,
        "file_out_of_area",
        ("异地投保报备", "Record the filing for insuring outside the city"),
        fixed(filing="YD-2026-17"),
    ),
    _hazard(
        "told",
        hazard.ConfirmTold,
        "confirm_told",
        ("登记书面告知的送达", "Record that the insured was told in writing"),
        fixed(receipt=attachment("送达回证.pdf")),
    ),
    _hazard(
        "rectification",
        hazard.ClaimRectification,
        "claim_rectification",
        ("申报整改完成", "Record that rectification is claimed, with evidence"),
        fixed(note="报警器已送检合格", evidence=[attachment("整改照片.pdf")]),
    ),
    _hazard(
        "refusal",
        hazard.RefuseRectification,
        "refuse_rectification",
        ("记录拒不整改", "Record that the insured refuses to rectify"),
        fixed(note="投保单位书面表示不予整改"),
    ),
    _hazard(
        "recheck",
        hazard.RecheckHazard,
        "recheck",
        ("复核", "Recheck: passed, or failed with a new term"),
        fixed(passed=True, note="现场复核合格"),
    ),
    _hazard(
        "objections",
        hazard.ObjectToHazard,
        "object",
        ("记录投保单位的异议", "Record that the insured objects to the hazard"),
        fixed(reason="该设备已停用，不再构成隐患", evidence=[attachment("停用证明.pdf")]),
    ),
    _hazard(
        "objections/answer",
        hazard.AnswerObjection,
        "answer_objection",
        ("答复异议", "Answer the objection: upheld closes the hazard, rejected leaves it"),
        fixed(upheld=False, note="经核实设备仍在使用"),
    ),
    _hazard(
        "time-requests",
        hazard.AskMoreTime,
        "ask_more_time",
        ("记录投保单位的延期申请", "Record that the insured asks for more time"),
        fixed(days=5, reason="备件到货延迟"),
    ),
    _hazard(
        "time-requests/refusal",
        hazard.DeclineMoreTime,
        "decline_more_time",
        ("不同意延期", "Decline the request for more time; agreeing is an extension"),
        fixed(note="风险较高，须按期整改"),
    ),
    _hazard(
        "extensions",
        ExtendDuty,
        "extend",
        ("隐患期限延期", "Extend a term of the hazard before it is due"),
        fixed(duty="rectification", days=5, reason="备件到货延迟"),
    ),
)
