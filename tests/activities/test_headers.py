"""Headers of letters arrive as they were written: of every kind of letter, whatever stands in them, however long."""

from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.headers import LETTER
from activities.letters import AskedPiece, Enclosed, Envelope, Letters
from activities.matters import matter
from models.contracts.vocabulary import AskedFor, NoticeKind, Role
from tests.activities.post_office import NOW
from tests.house.test_notices import row

LETTERS = Letters()
WIDEST = 78  # characters of a line, RFC 5322 2.1.1
PIECES = st.lists(
    st.sampled_from(["隐患", "H-001", "·", "（样例）", "YS-2026-000017", "Ltd.", "应3月8日", "长" * 60, "x" * 90]),
    min_size=1,
    max_size=12,
)
ASKED = AskedPiece(AskedFor.CODE_TO_ENTER, "2024年3月11日 10:10", code="123456")


def envelope(to_name: str = "宿州市应急管理局") -> Envelope:
    return Envelope("m", "安责险 <notice@anze.example>", to_name, "a@b.example", NOW)


def arrived(message: EmailMessage) -> dict[str, str]:
    """The headers as a mail program reads them off the wire, by each of the two readers of the standard library."""
    wire = message.as_bytes()
    assert max(len(line) for line in wire.partition(b"\r\n\r\n")[0].split(b"\r\n")) <= WIDEST
    old = message_from_bytes(wire)
    assert message_from_bytes(wire, policy=default)["Subject"] == str(make_header(decode_header(old["Subject"])))
    return {name: str(make_header(decode_header(old[name]))) for name in ("From", "To", "Subject")}


@pytest.mark.parametrize("kind", NoticeKind)
def test_the_subject_of_every_kind_arrives_as_it_was_composed(kind: NoticeKind) -> None:
    for of, hazard, policy in (
        ("hazard", "H-001", "YS-2026-000017"),
        ("policy", "", f"安责（宿）2026 第 17 号 {'P' * 40}"),
    ):
        told = row(kind, Role.INSURER, of)
        told.matter["number"] = hazard or policy
        told.matter["view"] |= {"policy_number": policy}
        piece = LETTERS.piece(matter(told, NOW))
        assert policy in piece.subject
        assert arrived(LETTERS.message(envelope(), [piece]))["Subject"] == piece.subject


def test_the_subjects_of_digests_and_of_letters_asked_for_arrive_as_they_were_composed() -> None:
    piece = LETTERS.piece(matter(row(NoticeKind.DUTY_OVERDUE, Role.EMERGENCY), NOW))
    digest = Enclosed(10_000, 9_999, (), "事项清单-2024-03-11.xlsx", lambda: b"x", "")
    message, composed = LETTERS.message(envelope(), [piece], digest), LETTERS.subject(envelope(), [piece], digest)
    assert "件逾期" in composed
    assert arrived(message)["Subject"] == composed
    assert arrived(LETTERS.asked(envelope(), ASKED))["Subject"] == LETTERS.asked_subject(ASKED)


@given(PIECES)
def test_a_header_of_many_words_arrives_word_by_word(pieces: list[str]) -> None:
    words = " ".join(pieces)
    message = EmailMessage(policy=LETTER)
    message["Subject"] = words
    message["From"] = "安责险 <notice@anze.example>"
    message["To"] = Address(words, addr_spec="a@b.example")
    read = arrived(message)
    assert read["Subject"] == words
    assert read["To"].removesuffix(" <a@b.example>").strip('"') == words
    assert read["From"] == "安责险 <notice@anze.example>"
