"""What people do with the policies of the sample, by the word in its 故事 column; prints nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from models.contracts.vocabulary import ServiceDimension
from runtime.demo.people import NotDone, Policy
from runtime.demo.readers import Reader
from runtime.demo.town import Town
from runtime.embedded.mail import MailCatcher
from runtime.samples import read_directory


@dataclass(frozen=True)
class Scene:
    """A policy with everybody around it."""

    town: Town
    mailbox: MailCatcher
    policy: Policy

    def at(self, address: str) -> Reader:
        return Reader(self.town, self.mailbox, address)

    @property
    def enterprise(self) -> Reader:
        return self.at(self.policy.email)

    async def file(self, name: str) -> dict[str, str]:
        return await self.policy.insurer.file(name)


Deed = Callable[[Scene], Awaitable[Any]]


@dataclass(frozen=True)
class Act:
    """On which day of the story (0 is its first) who does what; a rest day puts it off to the next working day."""

    day: int
    said: str
    deed: Deed


async def _upload(scene: Scene) -> None:
    await scene.policy.command("upload", file=await scene.file("电子保单.pdf"))


async def _name(scene: Scene) -> None:
    named = read_directory().providers[0]  # whose people come in by the sample people's door
    body = {"provider_name": named.name, "provider_code": named.credit_code, "qualification": named.qualification}
    await scene.policy.command("provider", **body)


async def _plan(scene: Scene) -> None:
    items = ["hazard_inspection", "training"]
    await scene.policy.command("plan", items=items, services_per_year=2, goals="全年两次隐患排查，一次全员安全培训。")


async def _visit(scene: Scene) -> None:
    await scene.policy.visit()


async def _complete(scene: Scene) -> None:
    report = await scene.file("服务报告.pdf")
    await scene.policy.command("service-completion", confirmed_by_insured=True, report=report)


async def _spend(scene: Scene) -> None:
    today = str(scene.town.today)
    evidence = await scene.file("发票.pdf")
    body = {"number": "F-001", "amount": "3500.00", "purpose": "hazard_inspection", "on": today, "evidence": evidence}
    await scene.policy.command("spend", **body)


def _finds(grade: str, description: str, days: int | None = None) -> Deed:
    async def find(scene: Scene) -> None:
        found = {"grade": grade, "description": description, "place": "生产现场"}
        due = {"due_on": str(scene.town.today + timedelta(days=days))} if days else {}
        major = {"criterion": "重大事故隐患判定标准（样例）第三条"} if grade == "major" else {}
        await scene.policy.visit(**found, **due, **major)

    return find


def _enterprise(deed: str, note: str, about: str = "", **filled: str) -> Deed:
    return lambda scene: scene.enterprise.act(scene.policy, deed, note, about, **filled)


def _office(address: str, deed: str, note: str, about: str = "", **filled: str) -> Deed:
    return lambda scene: scene.at(address).act(scene.policy, deed, note, about, **filled)


def _hazard(path: str, **body: Any) -> Deed:
    return lambda scene: scene.policy.hazard(path, **body)


def _told(scene: Scene) -> Awaitable[Any]:
    return scene.policy.hazard("told", note="已当面送达隐患告知书")


def _refuses(scene: Scene) -> Awaitable[Any]:
    return scene.policy.hazard("refusal", note="投保单位书面表示不予整改")


def _rechecks(note: str, *, passed: bool) -> Deed:
    return lambda scene: scene.policy.hazard("recheck", passed=passed, note=note)


def _surrenders(reason: str, note: str) -> Deed:
    async def surrender(scene: Scene) -> httpx.Response:
        evidence = await scene.file("停产证明.pdf")
        body = {"reason": reason, "on": str(scene.town.today), "note": note, "evidence": evidence}
        return await scene.policy.attempt("surrender", **body)

    return surrender


def _accepted(deed: Deed) -> Deed:
    async def accept(scene: Scene) -> None:
        answer = await deed(scene)
        if answer.is_error:
            raise NotDone(answer.text)

    return accept


def _refused(deed: Deed) -> Deed:
    """The story wants a refusal here."""

    async def refuse(scene: Scene) -> None:
        answer = await deed(scene)
        if answer.status_code != httpx.codes.CONFLICT:
            raise NotDone(f"{scene.policy.number} 本应被拒绝，却是 {answer.status_code}")

    return refuse


async def _stops(scene: Scene) -> None:
    today = str(scene.town.today)
    await scene.policy.command("suspensions", reason="production_stopped", note="企业停产检修", from_on=today)


async def _resumes(scene: Scene) -> None:
    await scene.policy.command("resumption", last_day_on=str(scene.town.today), note="企业已复产")


async def _files_abroad(scene: Scene) -> None:
    await scene.policy.command("out-of-area-filing", filing="SZ-YD-2026-108")


UPLOAD = Act(2, "上传电子保单", _upload)
NAME = Act(3, "确定服务机构", _name)
PLAN = Act(5, "提交服务计划", _plan)
AGREE = Act(8, "企业点开邮件链接，同意服务计划", _enterprise("confirm_plan", "同意"))
READY = (UPLOAD, NAME, PLAN, AGREE)
TELLS = Act(10, "登记隐患告知的送达", _told)
RATING = "记录一次事故预防服务"
STARS = {one.value: "5" for one in ServiceDimension}
MAJOR = "配电室与易燃物品混存，安全出口被封堵"

STORIES: dict[str, tuple[Act, ...]] = {
    "": (),
    "按时上传": (UPLOAD,),
    "勤勉": (*READY, Act(15, "上门服务", _visit), Act(18, "服务完成", _complete), Act(20, "列支服务费", _spend)),
    "忘记上传": (),
    "迟到上传": (Act(11, "逾期之后才上传", _upload),),
    "县局退信": (),
    "没有服务": (
        UPLOAD,
        Act(
            52,
            "应急管理局输入验证码，把事项转给埇桥区",
            _office("yingji@suzhou-ah.example", "pass_on", "企业在埇桥区，由区局督办", to="341302|应急管理局"),
        ),
    ),
    "部门签收": (
        Act(10, "应急管理局点开链接，接手处理", _office("yingji@suzhou-ah.example", "take_over", "由本局督办")),
    ),
    "一般隐患": (
        *READY,
        Act(9, "上门服务，发现一般隐患", _finds("ordinary", "可燃气体报警器未按期检定")),
        Act(11, "企业点开链接，确认收到告知", _enterprise("confirm_told", "已收到", "H-001")),
        Act(12, "企业提出异议", _enterprise("object", "该报警器已停用", "H-001")),
        Act(13, "保险机构答复：不采纳", _hazard("objections/answer", upheld=False, note="经核实仍在使用")),
        Act(15, "企业申请延期五日", _enterprise("ask_more_time", "检定机构排期", "H-001", days="5")),
        Act(16, "保险机构同意延期", _hazard("extensions", duty="rectification", days=5, reason="检定机构排期")),
        Act(19, "企业附照片申报整改完成", _enterprise("claim_rectification", "报警器已送检", "H-001")),
        Act(23, "复核未通过", _rechecks("仍有一台未检定", passed=False)),
        Act(30, "企业再次申报整改完成", _enterprise("claim_rectification", "全部检定合格", "H-001")),
        Act(33, "复核通过，隐患销号", _rechecks("现场复核合格", passed=True)),
        Act(36, "服务完成", _complete),
        Act(38, "列支服务费", _spend),
        Act(44, "评价服务的链接已经过期，企业要来新的，评了星", _enterprise("rate_service", "", RATING, **STARS)),
    ),
    "重大逾期": (
        *READY,
        Act(9, "上门服务，发现重大事故隐患，限十日", _finds("major", MAJOR, 10)),
        TELLS,
        Act(24, "水利局点开链接，签收", _office("shuili@suzhou-ah.example", "acknowledge", "已收悉", "H-001")),
        Act(29, "水利局答复处理情况", _office("shuili@suzhou-ah.example", "answer", "已责令停工整改", "H-001")),
        Act(31, "企业附照片申报整改完成", _enterprise("claim_rectification", "已拆除封堵并分库存放", "H-001")),
        Act(33, "复核通过，隐患销号", _rechecks("现场复核合格", passed=True)),
        Act(36, "服务完成", _complete),
    ),
    "异地投保": (UPLOAD, Act(10, "企业补办异地投保报备", _files_abroad)),
    "停产退保": (UPLOAD, Act(20, "企业完全停产，退保", _accepted(_surrenders("fully_stopped", "企业已停产注销")))),
    "复工延期": (UPLOAD, Act(5, "企业停产，中止计时", _stops), Act(23, "企业复产，恢复计时", _resumes)),
    "厦门拒改": (
        NAME,
        Act(8, "上门服务，发现重大事故隐患", _finds("major", MAJOR, 15)),
        TELLS,
        Act(15, "企业拒不整改", _refuses),
        Act(17, "市交通局点开链接，接手处理", _office("jiaotong@xiamen.example", "take_over", "由本局处理", "H-001")),
        Act(22, "市交通局答复处理情况", _office("jiaotong@xiamen.example", "answer", "已责令停产整改", "H-001")),
    ),
    "民爆拒改": (
        NAME,
        Act(8, "上门服务，发现重大事故隐患", _finds("major", MAJOR, 15)),
        TELLS,
        Act(15, "企业拒不整改", _refuses),
    ),
    "厦门退保": (UPLOAD, Act(10, "想换一家便宜的，退保被拒绝", _refused(_surrenders("other", "另有更低报价")))),
    "吉林拒改": (
        NAME,
        Act(8, "上门服务，发现重大事故隐患", _finds("major", MAJOR, 15)),
        TELLS,
        Act(15, "企业拒不整改", _refuses),
        Act(18, "应急管理局签收", _office("yingji@changchun.example", "acknowledge", "已收悉", "H-001")),
    ),
    "吉林矿山": (
        NAME,
        Act(8, "上门服务，发现重大事故隐患", _finds("major", MAJOR, 15)),
        TELLS,
        Act(15, "企业拒不整改", _refuses),
    ),
    "浙江重大": (
        NAME,
        Act(8, "上门服务，发现重大事故隐患，当即告知部门", _finds("major", MAJOR, 15)),
        TELLS,
        Act(12, "应急管理局答复处理情况", _office("yingji@hangzhou.example", "answer", "已核查并限期整改", "H-001")),
        Act(15, "企业附照片申报整改完成", _enterprise("claim_rectification", "已清理并恢复通道", "H-001")),
        Act(18, "复核通过，隐患销号", _rechecks("现场复核合格", passed=True)),
    ),
    "浙江国防": (NAME, Act(8, "上门服务，发现重大事故隐患", _finds("major", MAJOR, 15)), TELLS),
    "安徽重大": (
        NAME,
        Act(8, "上门服务，发现重大事故隐患", _finds("major", MAJOR, 15)),
        TELLS,
        Act(15, "企业拒不整改（省里没有规定报告）", _refuses),
    ),
}


def acts_of(story: str) -> tuple[Act, ...]:
    """What people do; nothing where nobody acts (late entries, policies of awkward dates)."""
    return STORIES.get(story, ())
