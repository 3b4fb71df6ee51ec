"""What the audit trail put on record as words of ours is read as words; what it is not stands as it was written."""

from typing import Any

import pytest

from api.desk.words import Language, namer
from api.trailwords import VALUES, readable


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("came_by", "oidc", ["统一身份认证"]),
        ("posts", ["insurer_admin", "insurer_auditor"], ["机构管理员", "审计员"]),
        ("kind", "operator", ["运维人员"]),
        ("code", "forbidden", ["没有这项权限"]),
        ("region", "341300", ["宿州市"]),
        ("expires_at", "2026-11-23T00:00:00+08:00", ["2026年11月22日 24:00"]),
        ("expires_at", "some day", ["some day"]),
        ("registered", "91340100MA2TAN0K6J", ["91340100MA2TAN0K6J"]),
        ("digest", "oidc", ["oidc"]),
    ],
)
def test_words_are_read_by_their_labels(name: str, value: Any, said: list[str]) -> None:
    say = namer(Language.CHINESE)
    assert [say(one) for one in readable(name, value)] == said


def test_truths_and_numbers_are_left_to_the_page() -> None:
    assert readable("disabled", value=True) == (True,)
    assert readable("cases", 3) == (3,)


def test_every_word_of_the_trail_has_its_english() -> None:
    say = namer(Language.ENGLISH)
    assert [word for lists in VALUES.values() for words in lists for word in words if not say(word).isascii()] == []
