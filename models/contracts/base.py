"""The ground every contract stands on: frozen models, the envelope of commands, checked scalars. No domain words."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from models.contracts.vocabulary import ActorKind, Role

MONEY_PATTERN = re.compile(r"^[0-9]{1,16}(\.[0-9]{1,2})?$", re.ASCII)
HIDDEN_CHARACTERS = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What nobody sees: Unicode's default-ignorable characters, what turns the direction, blanks that are letters."""
LINE_BREAKS = re.compile(r"[\t\n\r\u2028\u2029]")
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)
RFC3339 = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})$", re.ASCII)
ISO_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)
AMOUNT_SAID = "不是有效的金额，以元为单位，最多两位小数，例如 1200.50"
INSTANT_SAID = "时间须写作 2026-01-31 09:30"


class Miswritten(ValueError):
    """A scalar in a spelling that is not taken; `on_page` says it to who fills in a form, and not to a program."""

    def __init__(self, says: str, on_page: str = "") -> None:
        super().__init__(says)
        self.on_page = on_page or says


class Contract(BaseModel):
    """A frozen value that crosses a boundary; unknown fields are ignored: an old worker survives a new payload."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Strict(Contract):
    """A frozen value written by people or other systems; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Command(Strict):
    """What somebody wants done; it is the HTTP body, the argument of the update and the audit record alike."""


def _money(value: object) -> object:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not MONEY_PATTERN.fullmatch(value):
        raise Miswritten('金额须为字符串，最多两位小数，例如 "1200.50"', AMOUNT_SAID)
    return Decimal(value).quantize(Decimal("0.01"))


def _clean(value: str) -> str:
    if CONTROL_CHARACTERS.search(value):
        raise ValueError("文字中含有控制字符")
    visible = HIDDEN_CHARACTERS.sub("", value).strip()
    if not visible:
        raise ValueError("文字不得为空")
    return visible


def _one_line(value: str) -> str:
    """Names end up in mail subjects and headers."""
    if LINE_BREAKS.search(value):
        raise ValueError("名称不得换行")
    return value


def _file_name(value: str) -> str:
    if "/" in value or "\\" in value or value in {".", ".."}:
        raise ValueError("文件名不得含有路径")
    return value


def _plain(value: str) -> str:
    if HIDDEN_CHARACTERS.search(value):
        raise ValueError("编号中含有不可见字符")
    return value


def _sane_date(value: date) -> date:
    if not EARLIEST <= value < LATEST:
        raise ValueError("日期须在 2000 年至 2199 年之间")
    return value


def _sane_instant(value: datetime) -> datetime:
    if not EARLIEST.year < value.year < LATEST.year:
        raise ValueError("时间须在 2001 年至 2199 年之间")
    return value


def _written(pattern: re.Pattern[str], says: str, on_page: str = "") -> BeforeValidator:
    """Refuse numbers and loose spellings where a date or an instant is expected."""

    def check(value: object) -> object:
        if isinstance(value, date) or (isinstance(value, str) and pattern.fullmatch(value)):
            return value
        raise Miswritten(says, on_page)

    return BeforeValidator(check)


Money = Annotated[
    Decimal,
    BeforeValidator(_money),
    Field(ge=0, max_digits=18, decimal_places=2),
    WithJsonSchema({"type": "string", "pattern": MONEY_PATTERN.pattern, "examples": ["1200.50"]}),
]
"""Yuan with two places; travels as a string, never as a float."""
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120),
    AfterValidator(_one_line),
    AfterValidator(_clean),
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_clean)]
Number = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"), AfterValidator(_plain)
]
"""A business number (policy, plan, invoice): ASCII letters, digits, dot, underscore and hyphen."""
Region = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
"""Administrative division code of six digits (GB/T 2260)."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of a file, in lower-case hexadecimal."""
FactDate = Annotated[date, _written(ISO_DATE, "日期须写作 2026-01-31"), AfterValidator(_sane_date)]
FactInstant = Annotated[
    AwareDatetime,
    _written(RFC3339, "时间须写作 2026-01-31T09:30:00+08:00", INSTANT_SAID),
    AfterValidator(_sane_instant),
]
Flag = Annotated[bool, Field(strict=True)]
"""Yes or no; never 1, "true" or "on"."""
Count = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]
CreditCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")]
EmailAddress = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$"),
]
WebAddress = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s<>\"'\\]*)?$")
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$")]
Clause = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Wording = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]

C = TypeVar("C", bound=Command)


class Office(Contract):
    """A department as the directory knows it, and the roles in which it was told of the case."""

    region: str
    department: str
    roles: tuple[Role, ...] = ()


class Actor(Contract):
    """Who acts: an opaque id and a kind; the display name is an organisation's, never a person's."""

    kind: ActorKind
    id: str
    name: str = ""
    office: Office | None = None
    """For departments; without one (an operator, older records) somebody speaks for everybody who was told."""
    provider_id: UUID | None = None
    """For people of a service provider: which registered one they speak for (`ids.provider_id`)."""


class Given(Contract, Generic[C]):
    """A command as it reaches a case: who gives it, under which key, and the digest of its body."""

    command_id: str
    actor: Actor
    fingerprint: str
    command: C
    recorded: int = 0
    """How many steps of the case the caller saw in the ledger; a case that knows fewer looks them up first."""
    insurer_id: UUID | None = None
    """Whose case the caller looked up; a case of somebody else does not answer (promises.md 5.2 item 9)."""

    @property
    def mark(self) -> str:
        """What is remembered of a command, and its update id: the key, and enough of the body to tell another one."""
        return f"{self.command_id}#{self.fingerprint[:16]}"


class Attachment(Strict):
    """A file kept by its digest, with the name people know it by."""

    digest: Digest
    name: Annotated[Name, AfterValidator(_file_name)]
    media_type: Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z]+/[A-Za-z0-9.+-]+$")] = (
        "application/octet-stream"
    )


class FileReceipt(Contract):
    """What the file store answers: how the file is called from now on."""

    digest: Digest
    size: int
    media_type: str


class CaseKey(Contract):
    """Which case, whose, and where its workflow lives."""

    case_id: UUID
    insurer_id: UUID
    workflow_id: str
