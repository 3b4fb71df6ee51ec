"""Why somebody could not come in, Chinese with its English; what to do about it stands in the templates."""

from typing import Self

from models.contracts.vocabulary import Word


class NoEntry(Word):
    """A reason that may be told to whoever is at the door: the title of the page, and its status."""

    status: int

    def __new__(cls, value: str, label: str, status: int = 403) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.status = label, status
        return member

    NOT_FROM_HERE = "not_from_here", "登录没有完成", 400
    NOT_VOUCHED = "not_vouched", "统一身份认证没有确认您的身份", 403
    UNVERIFIED = "unverified", "您的邮箱没有经过核实", 403
    UNKNOWN = "unknown", "没有登记", 403
    DISABLED = "disabled", "账号已停用", 403
    TOO_LONG_AGO = "too_long_ago", "需要重新登录", 403
    UNREACHABLE = "unreachable", "统一身份认证暂时无法使用", 503


class NotLetIn(Exception):
    """Somebody at the door who may not come in; `detail` is for the record alone."""

    def __init__(self, why: NoEntry, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail
