"""Names of administrative divisions (GB/T 2260), down to the levels our packs reach; routing has no part in it."""

from models.contracts.ids import ancestors

NATION = "000000"

NAMES: dict[str, str] = {
    NATION: "全国",
    "110000": "北京市",
    "120000": "天津市",
    "130000": "河北省",
    "140000": "山西省",
    "150000": "内蒙古自治区",
    "210000": "辽宁省",
    "220000": "吉林省",
    "220100": "长春市",
    "220200": "吉林市",
    "220300": "四平市",
    "220400": "辽源市",
    "220500": "通化市",
    "220600": "白山市",
    "220700": "松原市",
    "220800": "白城市",
    "222400": "延边朝鲜族自治州",
    "230000": "黑龙江省",
    "310000": "上海市",
    "320000": "江苏省",
    "330000": "浙江省",
    "330100": "杭州市",
    "330200": "宁波市",
    "330300": "温州市",
    "330400": "嘉兴市",
    "330500": "湖州市",
    "330600": "绍兴市",
    "330700": "金华市",
    "330800": "衢州市",
    "330900": "舟山市",
    "331000": "台州市",
    "331100": "丽水市",
    "340000": "安徽省",
    "340100": "合肥市",
    "340200": "芜湖市",
    "340300": "蚌埠市",
    "340400": "淮南市",
    "340500": "马鞍山市",
    "340600": "淮北市",
    "340700": "铜陵市",
    "340800": "安庆市",
    "341000": "黄山市",
    "341100": "滁州市",
    "341200": "阜阳市",
    "341300": "宿州市",
    "341302": "埇桥区",
    "341321": "砀山县",
    "341322": "萧县",
    "341323": "灵璧县",
    "341324": "泗县",
    "341500": "六安市",
    "341600": "亳州市",
    "341700": "池州市",
    "341800": "宣城市",
    "350000": "福建省",
    "350100": "福州市",
    "350200": "厦门市",
    "350203": "思明区",
    "350205": "海沧区",
    "350206": "湖里区",
    "350211": "集美区",
    "350212": "同安区",
    "350213": "翔安区",
    "350300": "莆田市",
    "350400": "三明市",
    "350500": "泉州市",
    "350600": "漳州市",
    "350700": "南平市",
    "350800": "龙岩市",
    "350900": "宁德市",
    "360000": "江西省",
    "370000": "山东省",
    "410000": "河南省",
    "420000": "湖北省",
    "430000": "湖南省",
    "440000": "广东省",
    "450000": "广西壮族自治区",
    "460000": "海南省",
    "500000": "重庆市",
    "510000": "四川省",
    "520000": "贵州省",
    "530000": "云南省",
    "540000": "西藏自治区",
    "610000": "陕西省",
    "620000": "甘肃省",
    "630000": "青海省",
    "640000": "宁夏回族自治区",
    "650000": "新疆维吾尔自治区",
}


def region_name(code: str) -> str:
    """The place by its own name (宿州市); one we do not know is its nearest known ancestor with the code behind it."""
    if code in NAMES:
        return NAMES[code]
    above = next((NAMES[level] for level in ancestors(code)[1:] if level in NAMES and level != NATION), "")
    return f"{above}（{code}）" if above else code


def full_region_name(code: str) -> str:
    """The place with the levels above it (安徽省宿州市), as a letter writes it."""
    levels = [level for level in reversed(ancestors(code)) if level in NAMES and level != NATION]
    if code not in NAMES:
        return "".join(NAMES[level] for level in levels) + (f"（{code}）" if levels else code)
    return "".join(NAMES[level] for level in levels) or NAMES[code]


def places_of(said: str) -> tuple[str, ...]:
    """Every place meant by its six digits, its name, with or without those above it, or how its name begins."""
    if said.isascii() and said.isdigit():
        levels = {level for level in ancestors(said) if level != NATION}
        return (said,) if said == NATION or (len(said) == len(NATION) and levels & NAMES.keys()) else ()
    exact = [code for code, name in NAMES.items() if said.endswith(name) and full_region_name(code).endswith(said)]
    return tuple(exact or [code for code, name in NAMES.items() if said and name.startswith(said)])


def place_of(said: str) -> str | None:
    """The one place meant; `None` where nothing is called so, and where several are (吉林): nobody guesses which."""
    found = places_of(said)
    return found[0] if len(found) == 1 else None


def code_of(place: str) -> str:
    """The same, for what is checked later: the text itself where it is not one place we know."""
    return place_of(place) or place
