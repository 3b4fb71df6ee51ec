"""Every kind of notice has its words in both parts, for everybody who may be told; no template is an orphan."""

from itertools import product
from pathlib import Path
from shutil import copytree

import pytest

from activities.letters import TEMPLATES, Envelope, Letters
from activities.matters import matter
from models.contracts.vocabulary import NoticeKind, Role
from models.tables.outbox import OutboxNotice
from tests.activities.post_office import CITES, NOW, about_duty, matter_of
from tests.tables.rows import EMERGENCY, A, known

LETTERS = Letters()
BARE = {"duty_key": "", "label": ""}
PARTS = TEMPLATES / "parts"


def row(kind: NoticeKind, role: Role, of: str = "policy", **about: object) -> OutboxNotice:
    return OutboxNotice.model_validate(
        {
            "id": known(A, kind.value),
            "notice_key": kind.value,
            "insurer_id": A,
            "case_id": known(A, "case"),
            "seq": 1,
            "kind": kind,
            "to_role": role,
            "recipient_id": EMERGENCY,
            "urgency": "digest",
            "at": NOW,
            "about": about_duty() | about if about != BARE else BARE,
            "cites": CITES if about != BARE else None,
            "matter": matter_of(A, of),
        }
    )


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("of", ["policy", "hazard"])
@pytest.mark.parametrize("about", [{}, BARE, {"provisional": True, "note": "停产期间中止计时。"}])
def test_every_kind_reads_in_chinese_for_everybody_who_may_be_told(
    kind: NoticeKind, of: str, about: dict[str, object]
) -> None:
    for role in Role:
        piece = LETTERS.piece(matter(row(kind, role, of, **about), NOW, "http://127.0.0.1/l/x"))
        assert piece.subject.startswith("【")
        assert piece.subject.endswith("P-1") or "期限3月8日" in piece.subject
        for body in (piece.text, str(piece.html)):
            assert "P-1" in body
            assert "系统约定" in body
            assert "None" not in body
            assert "。。" not in body
        envelope = Envelope("m", "安责险 <notice@anze.example>", "收件单位", "a@b.example", NOW)
        message = LETTERS.message(envelope, [piece])
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_subject_names_the_hazard_or_the_claim_and_an_other_year(kind: NoticeKind) -> None:
    told = matter(row(kind, Role.INSURER, "hazard", effective="2023-03-08"), NOW)
    subject = LETTERS.piece(told).subject
    assert subject.count("H-1") == 1
    assert "P-1" in subject
    assert ("期限2023年3月8日" in subject) == bool(told.due_short)


def test_what_was_done_meanwhile_is_asked_of_nobody() -> None:
    piece = LETTERS.piece(matter(row(NoticeKind.DUTY_OVERDUE, Role.INSURER), NOW, settled="此后已有办理记录。"))
    for body in (piece.text, str(piece.html)):
        assert "无需再办" in body
        assert "请立即办理" not in body


def test_a_worker_whose_files_are_replaced_writes_on_in_the_words_it_started_with(tmp_path: Path) -> None:
    copytree(TEMPLATES, tmp_path, dirs_exist_ok=True)
    letters, told = Letters(tmp_path), matter(row(NoticeKind.DUTY_OVERDUE, Role.EMERGENCY), NOW, "")
    for newer in (*tmp_path.rglob("*.txt.j2"), *tmp_path.rglob("*.html.j2"), tmp_path / "parts" / "subject.j2"):
        newer.write_text("{{ n.known_to_the_next_version }}", encoding="utf-8")
    assert letters.piece(told) == LETTERS.piece(told)


def said(kind: NoticeKind, role: Role) -> str:
    return LETTERS.piece(matter(row(kind, role), NOW, "http://127.0.0.1/l/x")).text


def test_a_letter_says_that_its_reader_too_may_be_our_choice() -> None:
    """The notice of Suzhou names no department for a missed upload; only the term is its own."""
    letter = said(NoticeKind.DUTY_OVERDUE, Role.EMERGENCY)
    assert "应急监二〔2023〕84号 二(五)（法规规定）" in letter
    assert "收件的单位，条款没有写明的，按系统约定" in letter


def test_only_the_first_request_for_documents_is_said_to_stop_the_thirty_days() -> None:
    letter = said(NoticeKind.DOCUMENTS_REQUESTED, Role.INSURED)
    assert "第一次通知送达后到材料收齐前的日子，不计入" in letter
    assert "再次通知的，不再扣除" in letter


def test_a_letter_that_lists_terms_of_the_law_does_not_call_them_our_choice() -> None:
    opened = row(NoticeKind.POLICY_OPENED, Role.INSURER, **BARE)
    opened.about |= {"note": "上传电子保单：2024年3月8日（周五）24:00前"}
    letter = LETTERS.piece(matter(opened, NOW)).text
    assert "上传电子保单：2024年3月8日（周五）24:00前" in letter
    assert "文件未作规定" not in letter
    assert "依据见案卷页面" in letter


@pytest.mark.parametrize("kind", NoticeKind)
def test_nothing_in_a_letter_loads_from_elsewhere(kind: NoticeKind) -> None:
    html = str(LETTERS.piece(matter(row(kind, Role.EMERGENCY), NOW, "http://127.0.0.1/l/x")).html)
    for loading in ("<img", "<script", "<link", "@import", "url(", "<iframe"):
        assert loading not in html


@pytest.mark.parametrize("kind", NoticeKind)
def test_names_from_outside_cannot_write_html(kind: NoticeKind) -> None:
    hostile = row(kind, Role.INSURED, "hazard")
    hostile.matter["insured_name"] = hostile.matter["view"]["description"] = "<img src=x onerror=alert(1)>"
    assert "<img" not in str(LETTERS.piece(matter(hostile, NOW)).html)


def test_no_template_is_without_a_kind_and_no_kind_without_its_templates() -> None:
    kinds = {kind.value for kind in NoticeKind}
    assert {path.name for path in (TEMPLATES / "mail").iterdir()} == {
        f"{kind}.{part}.j2" for kind, part in product(kinds, ("txt", "html"))
    }
    assert {path.stem for path in (PARTS / "words").iterdir()} == kinds


def test_no_template_switches_escaping_off() -> None:
    for path in sorted(TEMPLATES.rglob("*.j2")):
        assert "|safe" not in path.read_text().replace(" ", ""), path
        assert "autoescape" not in path.read_text(), path
