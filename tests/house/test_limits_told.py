"""What docs/limits.md tells of sizes, times and rates is what the program does; that it does it, other tests show."""

import pytest
from annotated_types import Le

from activities import digests, mailbook, refusing
from api.desk import frame
from api.desk.filters import CaseFilters
from api.entrance import codes
from api.portfolio import jobs, measuring, reading
from api.provider import acting
from api.shapes import ListQuery
from api.tools import Budgets
from domain.room import ROOM
from runtime import wire
from runtime.settings import PROJECT_ROOT

ROWS = [line.split("|") for line in (PROJECT_ROOT / "docs" / "limits.md").read_text().splitlines() if "|" in line]
TOLD = {cells[1].strip(): f"{cells[2].strip()} {cells[3].strip()}" for cells in ROWS}
KIB, MIB = 1024, 1024 * 1024
OF = Budgets()


def most(query: type[ListQuery], field: str) -> int:
    """The upper bound of a field."""
    [bound] = [one.le for one in query.model_fields[field].metadata if isinstance(one, Le)]
    return int(str(bound))


(LITTLE, LITTLE_ROOM), (SMALL, SMALL_ROOM), (MUCH, MUCH_ROOM), (_, LEAST_ROOM) = ROOM
FIGURES = {
    "请求行与请求头，一次请求": f"{OF.headers // KIB} KiB；连接上读到 {wire.MOST_HEAD // KIB} KiB",
    "请求头到齐": f"{wire.HEAD_WITHIN:.0f} 秒（从连上或第一个字节算起）；已经答复而请求体还没发完的，再等同样久",
    "接口的请求体，分块的也算": f"{OF.body // KIB} KiB，{OF.body_within:.0f} 秒内到齐，JSON 嵌套 {OF.nesting} 层",
    "一件指令，连同未填字段的缺省值（页面、接口、导入都算）": f"{OF.command // KIB} KiB",
    "一件案卷记下的内容（规则与日历除外）": f"{(MUCH or 0) // 1000} KB 以上的，到 {LEAST_ROOM // 1000} KB 为止；"
    f"加得少的到 {MUCH_ROOM // 1000} KB，{(SMALL or 0) // 1000} KB 以内的到 {SMALL_ROOM // 1000} KB，"
    f"{LITTLE} 字节以内的（核准、到账、结案）到 {LITTLE_ROOM // 1000} KB",
    "上传一个文件（`/v1/files`）": f"{OF.file // MIB} MiB，停顿不超过 {OF.body_within:.0f} 秒",
    "上传和表单有多慢": f"头 {OF.body_within:.0f} 秒不计，此后平均每秒不少于 {OF.body_per_second / KIB:.0f} KiB",
    "一个机构上传的字节数；不知道是谁的，一个来源地址的": f"每秒 {OF.uploaded_per_second / MIB:.0f} MiB，"
    f"最多攒 {OF.uploaded_burst // MIB // 1024} GiB",
    "答复没有人来取": f"每 {wire.LOOKED_AT:.0f} 秒取走不到 {wire.LEAST_TAKEN // KIB} KiB",
    "压缩的请求体（`Content-Encoding`）": "不解开，不接收",
    "接口地址里的一个参数": "给出一次",
    "一张表单连同附件": f"{OF.page_upload // MIB} MiB，附件 {frame.MOST_FILES} 个（服务机构的服务记录和报告"
    f" {acting.MOST_PICTURES} 个），字段 {frame.MOST_FIELDS} 个，每个字段 {frame.MOST_TEXT // KIB} KiB",
    "列表一页": f"接口 {most(ListQuery, 'limit')} 行，页面 {most(CaseFilters, 'limit')} 行",
    "一封汇总信": f"最多 {mailbook.PAGE:,} 件；信里写最紧急的 {digests.SHOWN} 件",
    "邮件服务器嫌信太大（552、523、5.3.4、5.2.3，或超过它声明的 SIZE）": f"大于 {refusing.DIVISIBLE // KIB} KiB 的信",
    "一个接口密钥": f"每秒 {OF.requests_per_second:.0f} 次，最多攒 {OF.burst} 次",
    "一个来源地址看页面": f"每秒 {OF.requests_per_second:.0f} 次，最多攒 {OF.burst} 次",
    "一个来源地址（IPv6 按 /64）同时在办，不论用哪个密钥；一个机构的密钥合计，不论来自哪里": f"各 {OF.at_once} 件",
    "一个来源地址试错密钥": f"每秒 {OF.guesses_per_second:.0f} 次，最多攒 {OF.guesses_burst} 次",
    "一个来源地址要验证码、输验证码": f"每 {1 / OF.strangers_per_second:.0f} 秒 1 次，最多攒 {OF.strangers_burst} 次；"
    f"一个验证码 {codes.TRIES} 次机会",
    "页面上导入的工作簿": f"{jobs.LARGEST // MIB} MiB，{jobs.MOST_ROWS:,} 行，{measuring.MOST_COLUMNS} 列，"
    f"解开不超过 {measuring.MOST_UNPACKED // MIB} MiB",
    "`anze import` 读的工作簿": f"{reading.LARGEST // MIB} MiB，{reading.MOST_ROWS // 10_000} 万行，"
    f"{measuring.MOST_COLUMNS} 列，解开不超过 {measuring.MOST_UNPACKED // MIB} MiB",
}


def test_no_limit_is_told_without_being_looked_up_here() -> None:
    assert set(TOLD) - {"什么", "---"} == set(FIGURES)


@pytest.mark.parametrize("what", FIGURES)
def test_a_limit_is_told_as_the_program_has_it(what: str) -> None:
    assert FIGURES[what] in TOLD[what]
