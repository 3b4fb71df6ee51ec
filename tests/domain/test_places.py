"""A place is named by its digits or by words, and what could mean two places, or none, means nothing."""

import pytest

from domain.places import code_of, place_of


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("341300", "341300"),
        ("000000", "000000"),
        ("341399", "341399"),
        ("宿州市", "341300"),
        ("宿州", "341300"),
        ("安徽省宿州市", "341300"),
        ("安徽省宿州市埇桥区", "341302"),
        ("宿州市埇桥区", "341302"),
        ("吉林市", "220200"),
        ("吉林省", "220000"),
        ("全国", "000000"),
    ],
)
def test_what_names_one_place_is_that_place(said: str, code: str) -> None:
    assert place_of(said) == code_of(said) == code


@pytest.mark.parametrize(
    "said", ["", "宿洲市", "安徽省宿洲市", "安徽省滁州", "吉林", "34", "990000", "000001", "３４１３００", "²" * 6]
)
def test_what_names_none_or_several_is_no_place(said: str) -> None:
    assert place_of(said) is None
    assert code_of(said) == said
