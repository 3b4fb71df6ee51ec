"""Two insurers with colliding numbers, and one row in every table for each; written past row-level security."""

from uuid import UUID, uuid5

import asyncpg

from models.contracts.ids import NAMESPACE
from tests.conftest import Database

A = UUID("aaaaaaaa-0000-4000-8000-000000000001")
B = UUID("bbbbbbbb-0000-4000-8000-000000000002")
EMERGENCY = UUID("cccccccc-0000-4000-8000-000000000003")
AT = "2024-03-01 12:00+08"

STATEMENTS = (
    "INSERT INTO insurers (id, code, name) VALUES ('{insurer}', '{code}', '{code}保险')",
    "INSERT INTO insureds (id, insurer_id, credit_code, name) VALUES ('{insured}', '{insurer}', '9134', '企业')",
    "INSERT INTO recipients (id, role, insurer_id, name, email)"
    " VALUES ('{desk}', 'insurer', '{insurer}', '{code}保险', 'desk@{code}.example')",
    "INSERT INTO recipients (id, role, insurer_id, insured_id, name, email, fallback_id)"
    " VALUES ('{mailbox}', 'insured', '{insurer}', '{insured}', '企业', 'a@{code}.example', '{desk}')",
    "INSERT INTO api_keys (id, kind, insurer_id, name, prefix, key_hash)"
    " VALUES ('{key}', 'insurer', '{insurer}', '核心系统', 'ak', 'key-{code}')",
    "INSERT INTO cases (id, kind, insurer_id, workflow_id, number, region, sector, size, stage, insured_id,"
    " insured_name, signed_on, effective_on, expires_on, provisional, rate_review, open_hazards, packs,"
    " calendar_through, clock, view, seq, opened_at, changed_at) VALUES ('{case}', 'policy', '{insurer}',"
    " 'policy/{code}/P-1', 'P-1', '341300', 'fireworks', 'small', 'signed', '{insured}', '企业', '2024-03-01',"
    " '2024-03-02', '2025-03-01', false, false, 0, '[]', 2024, '{{}}', '{{}}', 1, '{at}', '{at}')",
    "INSERT INTO steps (case_id, seq, insurer_id, at) VALUES ('{case}', 1, '{insurer}', '{at}')",
    "INSERT INTO timeline (case_id, seq, line, insurer_id, event, at, duty_key, said, data)"
    " VALUES ('{case}', 1, 1, '{insurer}', 'policy_signed', '{at}', '', '', '{{}}')",
    "INSERT INTO commands (case_id, command_id, insurer_id, seq, fingerprint, answer, at)"
    " VALUES ('{case}', 'k-1', '{insurer}', 1, 'f', '{{}}', '{at}')",
    "INSERT INTO outbox (id, notice_key, insurer_id, case_id, seq, kind, to_role, recipient_id, urgency, at, about,"
    " matter, subject) VALUES ('{notice}', 'n-{code}', '{insurer}', '{case}', 1, 'duty_overdue', 'emergency',"
    " '{emergency}', 'digest', '{at}', '{{}}', '{{}}', 'duty_overdue')",
    "INSERT INTO matters (case_id, subject, recipient_id, insurer_id, letter_id, kind, told_at, times, ends_when_read,"
    " asks, duty_key, late, settled, place_at, major, case_kind, number, policy_number, insured_name, region, sector)"
    " VALUES ('{case}', 'duty_overdue', '{emergency}', '{insurer}', '{notice}', 'duty_overdue', '{at}', 1, true, true,"
    " '', false, false, '{at}', false, 'policy', 'P-1', '', '企业', '341300', 'fireworks')",
    "INSERT INTO links (id, token_hash, insurer_id, case_id, recipient_id, notice_id, purpose, duty_key, expires_at)"
    " VALUES ('{link}', 'token-{code}', '{insurer}', '{case}', '{emergency}', '{notice}', 'department', '', '{at}')",
    "INSERT INTO link_uses (link_id, action) VALUES ('{link}', 'acknowledge')",
    "INSERT INTO files (digest, insurer_id, name, media_type, size)"
    " VALUES ('d', '{insurer}', '保单.pdf', 'application/pdf', 1)",
    "INSERT INTO tasks (id, kind, insurer_id, case_id, notice_id, said)"
    " VALUES ('{task}', 'no_address', '{insurer}', '{case}', '{notice}', '市应急局')",
    "INSERT INTO claim_limits (insurer_id, policy_id, per_person) VALUES ('{insurer}', '{case}', 800000)",
    "INSERT INTO reservations (insurer_id, number, case_id, policy_id, accident, amount, fingerprint, standards)"
    " VALUES ('{insurer}', 'Z-1', '{case}', '{case}', 'S-1', 5, 'f', '[]')",
    "INSERT INTO limit_movements (insurer_id, number, key, line, pot, amount)"
    " VALUES ('{insurer}', 'Z-1', 'k', 1, 'indemnity', 5)",
    "INSERT INTO payment_orders (insurer_id, number, case_id, workflow_id, order_key, kind, amount, payee, channel,"
    " fingerprint, state) VALUES ('{insurer}', 'Z-1', '{case}', 'claim/{code}/C-1', '{code}:C-1:Z-1', 'settlement',"
    " 5, 'victim', 'folder', 'f', 'written')",
    "INSERT INTO payment_answers (id, insurer_id, order_key, source, outcome)"
    " VALUES ('{answer}', '{insurer}', '{code}:C-1:Z-1', 'asked', 'unknown')",
    "INSERT INTO victims (id, insurer_id, case_id, ref, employee, name)"
    " VALUES ('{victim}', '{insurer}', '{case}', '{victim}', true, '\\x00')",
    "INSERT INTO victim_sights (id, insurer_id, case_id, ref, actor_kind, actor_id, fields, why)"
    " VALUES ('{sight}', '{insurer}', '{case}', '{victim}', 'insurer', 'key-1', 'name', '赔付')",
    "INSERT INTO erasure_holds (id, insurer_id, case_id, because) VALUES ('{hold}', '{insurer}', '{case}', '诉讼')",
    "INSERT INTO insurer_claim_rules (id, insurer_id, in_force_on, figures, recorded_by)"
    " VALUES ('{rules}', '{insurer}', '2024-01-01', '{{}}', 'key-1')",
    "INSERT INTO users (id, kind, insurer_id, email, name, posts)"
    " VALUES ('{user}', 'insurer', '{insurer}', 'u@{code}.example', '经办', '{{insurer_handler}}')",
    "INSERT INTO hands (case_id, insurer_id, user_id, given_by, given_at)"
    " VALUES ('{case}', '{insurer}', '{user}', '{user}', '{at}')",
    "INSERT INTO providers (id, insurer_id, credit_code, name, email)"
    " VALUES ('{provider}', '{insurer}', '9134', '安全技术公司', 'p@{code}.example')",
    "INSERT INTO assignments (policy_id, insurer_id, provider_id) VALUES ('{case}', '{insurer}', '{provider}')",
    "INSERT INTO audit (chain, number, at, what, result, previous, hash)"
    " VALUES ('{insurer}', 1, '{at}', 'key_made', 'done', '', 'h')",
    "INSERT INTO audit_heads (chain, number, hash) VALUES ('{insurer}', 1, 'h')",
)
DEPARTMENT = (
    "INSERT INTO recipients (id, role, region, department, name, email)"
    " VALUES ('{emergency}', 'emergency', '341300', '市应急局', '宿州市应急局', 'yjj@sz.example')"
)


def known(insurer: UUID, what: str) -> UUID:
    """The id of one of the seeded rows."""
    return EMERGENCY if what == "emergency" else uuid5(NAMESPACE, f"{insurer}/{what}")


async def seed(database: Database) -> None:
    """Both insurers, and one department that both report to."""
    connection = await asyncpg.connect(database.admin)
    try:
        await connection.execute(DEPARTMENT.format(emergency=EMERGENCY))
        for insurer, code in ((A, "a"), (B, "b")):
            names = ("insured", "desk", "mailbox", "key", "case", "notice", "link", "task", "emergency",
                     "answer", "victim", "sight", "hold", "rules", "user", "provider")  # fmt: skip
            values = {name: known(insurer, name) for name in names}
            for statement in STATEMENTS:
                await connection.execute(statement.format(insurer=insurer, code=code, at=AT, **values))
    finally:
        await connection.close()
