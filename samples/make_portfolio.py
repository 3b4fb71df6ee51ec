"""Writes samples/portfolio.csv: about 200 fictional policies, the same on every run; nothing reads this but people.

Run from the project's folder: `.venv/bin/python samples/make_portfolio.py`.
"""

import csv
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from stdnum.cn import uscc

REFERENCE = date(2026, 11, 22)
"""The day on which the story begins; `anze import --rebase-to` moves every row that is not 固定 by whole days."""
HEADERS = (
    "保单号,保险机构代码,地区代码,行业,规模,规模来源,类型,签署时间,生效日期,届满日期,保费总额,实收保费,从业人数,投保人数,"
    "每人限额,服务项目,年服务次数,备案条款,异地投保,异地报备,投保单位,统一社会信用代码,邮箱,既往事实,固定,故事"
).split(",")
PLACES = {
    "341300": "宿州市", "341302": "宿州市埇桥区", "341321": "砀山县", "341324": "泗县", "340100": "合肥市", "340200": "芜湖市",
    "350200": "厦门市", "350203": "厦门市思明区", "350211": "厦门市集美区", "220100": "长春市", "220200": "吉林市",
    "330100": "杭州市", "330200": "宁波市",
}  # fmt: skip
SECTORS = {
    "非煤矿山": "矿业", "煤矿": "煤业", "危险化学品": "化工", "烟花爆竹": "烟花", "金属冶炼": "铸造", "道路运输": "运输",
    "城市轨道交通": "轨道运营", "水路运输": "航运", "房屋建筑施工": "建筑", "市政工程施工": "市政建设",
    "交通工程施工": "路桥", "水利工程施工": "水利建设", "民用爆炸物品": "民爆器材", "渔业生产": "渔业", "其他行业": "仓储服务",
}  # fmt: skip
WORDS = "启明 远帆 恒安 润丰 长青 博远 金桥 星河 云岭 瑞和 东篱 北辰 南屏 丰泽 嘉禾 安澜 景行 致远 清和 明德".split()
BRANCHES = ("东", "南", "西", "北", "中", "新", "兴")
SIZES = {"大型": (400, 900), "中型": (100, 300), "小型": (20, 80), "微型": (4, 15)}
ITEMS = ("隐患排查", "教育培训", "风险评估", "应急演练", "标准化建设")
ITEM_WORDS = {
    "隐患排查": "生产安全事故隐患排查", "教育培训": "安全生产宣传教育培训", "风险评估": "安全风险辨识、评估和安全评价",
    "应急演练": "应急预案编制和演练", "标准化建设": "安全生产标准化建设",
}  # fmt: skip
CODES = ("PS", "QY", "YS")

# What the demo's people do with a policy; an empty word: nobody needs to do anything within the weeks of the story.
STORIES: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
    ("勤勉", "341300", "危险化学品", "中型", {}),
    ("忘记上传", "341300", "金属冶炼", "中型", {}),
    ("迟到上传", "341302", "非煤矿山", "小型", {}),
    ("县局退信", "341324", "烟花爆竹", "小型", {}),
    ("没有服务", "341300", "道路运输", "小型", {}),
    ("部门签收", "341300", "烟花爆竹", "微型", {}),
    ("一般隐患", "341300", "房屋建筑施工", "大型", {}),
    ("重大逾期", "341300", "水利工程施工", "中型", {}),
    ("异地投保", "341300", "渔业生产", "小型", {"异地投保": "是"}),
    ("停产退保", "341321", "非煤矿山", "中型", {}),
    ("复工延期", "341300", "危险化学品", "大型", {}),
    ("厦门拒改", "350200", "道路运输", "中型", {}),
    ("民爆拒改", "350200", "民用爆炸物品", "中型", {}),
    ("厦门退保", "350203", "危险化学品", "小型", {}),
    ("吉林拒改", "220100", "危险化学品", "大型", {}),
    ("吉林矿山", "220100", "非煤矿山", "中型", {}),
    ("浙江重大", "330100", "金属冶炼", "中型", {}),
    ("浙江国防", "330100", "民用爆炸物品", "中型", {}),
    ("安徽重大", "340100", "金属冶炼", "中型", {}),
)


def main() -> None:
    chance = random.Random(20261122)
    rows = list(_rows(chance))
    path = Path(__file__).with_name("portfolio.csv")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, HEADERS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _rows(chance: random.Random) -> Iterator[dict[str, str]]:
    number = iter(range(1, 10_000))
    for story, region, sector, size, more in STORIES:
        signed = REFERENCE - timedelta(days=1)
        yield _row(chance, next(number), (region, sector, size), signed) | {"故事": story} | more
    yield from _awkward(chance, number)
    kinds = [(region, sector) for region in PLACES for sector in SECTORS]
    chance.shuffle(kinds)
    for region, sector in kinds[:168]:
        size = chance.choice(tuple(SIZES))
        signed = REFERENCE - timedelta(days=chance.randint(1, 4))
        story = chance.choices(("", "按时上传" if region[:4] == "3413" else "", "勤勉"), (5, 3, 1))[0]
        yield _row(chance, next(number), (region, sector, size), signed) | {"故事": story}


def _awkward(chance: random.Random, number: Iterator[int]) -> Iterator[dict[str, str]]:
    """Policies that have caught others out; those marked 固定 keep their true dates."""

    def row(what: tuple[str, str, str], signed: date, **more: str) -> dict[str, str]:
        return _row(chance, next(number), what, signed) | more

    def fixed(what: tuple[str, str, str], signed: date, **more: str) -> dict[str, str]:
        return row(what, signed, 固定="是", **more)

    chemicals = ("341300", "危险化学品", "中型")
    # 45 days end inside the Spring Festival of 2026: rolled to its end, overdue since, told once
    yield fixed(chemicals, date(2026, 1, 4), 故事="春节到期", 既往事实="上传电子保单=2026-01-06；确定服务机构=2026-01-12")
    # 45 days end on New Year's Day of a year whose calendar is not published: provisional
    yield fixed(chemicals, date(2026, 11, 17), 故事="明年日历", 既往事实="上传电子保单=2026-11-18")
    yield fixed(chemicals, date(2026, 11, 16), 故事="年末到期", 既往事实="上传电子保单=2026-11-16")
    # signed one minute before midnight: the seven days count from that day
    evening = REFERENCE - timedelta(days=1)
    yield row(("341300", "交通工程施工", "小型"), evening, 故事="深夜签单", 签署时间=f"{evening} 23:59")
    yield row(("341300", "其他行业", "小型"), REFERENCE - timedelta(days=1), 故事="小型单位")
    yield row(("350200", "渔业生产", "小型"), REFERENCE - timedelta(days=2), 故事="厦门渔业")
    yield row(("350200", "水路运输", "中型"), REFERENCE - timedelta(days=2), 故事="港口无登记")
    # running policies entered late
    yield fixed(
        ("341300", "金属冶炼", "大型"), date(2026, 9, 1), 故事="补录在保",
        既往事实="上传电子保单=2026-09-03；确定服务机构=2026-09-08；提交服务计划=2026-09-10；投保单位确认计划=2026-09-15",
    )  # fmt: skip
    yield fixed(("220100", "危险化学品", "大型"), date(2026, 3, 2), 故事="补录未上传")
    yield fixed(
        ("330100", "烟花爆竹", "中型"), date(2025, 12, 20), 故事="将要届满",
        既往事实="确定服务机构=2026-01-10；记录服务=2026-03-05",
    )  # fmt: skip
    fishing = row(("350200", "渔业生产", "微型"), REFERENCE - timedelta(days=3), 故事="季节性", 类型="季节性")
    begins = date.fromisoformat(fishing["生效日期"])
    yield fishing | {"届满日期": str(begins + timedelta(days=40)), "年服务次数": "1"}
    building = row(("330100", "房屋建筑施工", "大型"), REFERENCE - timedelta(days=3), 故事="三年工程", 类型="按工程周期")
    begins = date.fromisoformat(building["生效日期"])
    yield building | {"届满日期": str(begins.replace(year=begins.year + 3) - timedelta(days=1)), "保费总额": "486000.00"}
    year_end = row(("341300", "市政工程施工", "中型"), REFERENCE - timedelta(days=2), 故事="异地报备", 异地投保="是")
    yield year_end | {"异地报备": "SZ-YD-2026-031"}


def _row(chance: random.Random, number: int, what: tuple[str, str, str], signed: date) -> dict[str, str]:
    region, sector, size = what
    insurer = CODES[number % len(CODES)]
    name = f"{PLACES[region]}{WORDS[number % len(WORDS)]}{BRANCHES[number % len(BRANCHES)]}{SECTORS[sector]}有限公司（样例）"
    heads = chance.randint(*SIZES[size])
    begins = signed + timedelta(days=1)
    minutes = chance.randint(8 * 60 + 30, 17 * 60)
    premium = heads * chance.choice((180, 240, 320, 460))
    items = chance.sample(ITEMS, 2)
    return dict.fromkeys(HEADERS, "") | {
        "保单号": f"{insurer}-{signed:%Y}-{number:06d}",
        "保险机构代码": insurer,
        "地区代码": region,
        "行业": sector,
        "规模": size,
        "规模来源": "投保单位上年度统计报表",
        "类型": "一年期",
        "签署时间": f"{signed} {minutes // 60:02d}:{minutes % 60:02d}",
        "生效日期": str(begins),
        "届满日期": str(begins.replace(year=begins.year + 1) - timedelta(days=1)),
        "保费总额": f"{premium}.00",
        "实收保费": f"{premium}.00",
        "从业人数": str(heads),
        "投保人数": str(heads),
        "每人限额": chance.choice(("600000.00", "800000.00", "1000000.00")),
        "服务项目": "；".join(ITEM_WORDS[item] for item in items),
        "年服务次数": str(chance.choice((1, 2, 2, 4))),
        "备案条款": f"C{chance.randrange(10**9):09d}",
        "投保单位": name,
        "统一社会信用代码": _credit_code(region, number),
        "邮箱": f"anquan{number:03d}@qiye-{region}.example",
    }


def _credit_code(region: str, number: int) -> str:
    """A valid check digit; the organisation part begins with 00, which no real code of this kind does."""
    body = f"91{region}00{number:07d}"
    return body + uscc.calc_check_digit(body)


if __name__ == "__main__":
    main()
