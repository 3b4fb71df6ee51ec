"""The first tables: parties, cases and their record, outbox and mails, links."""

from alembic import op

revision = "20261122_1"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE insurers (
    id uuid NOT NULL, code varchar NOT NULL, name varchar NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_insurers PRIMARY KEY (id),
    CONSTRAINT uq_insurers_code UNIQUE (code)
);

CREATE TABLE nudges (
    id bigserial NOT NULL, recipient_id uuid NOT NULL,
    CONSTRAINT pk_nudges PRIMARY KEY (id)
);

CREATE TABLE files (
    digest varchar NOT NULL, insurer_id uuid NOT NULL, name varchar NOT NULL, media_type varchar NOT NULL,
    size bigint NOT NULL, stored_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_files PRIMARY KEY (digest, insurer_id),
    CONSTRAINT fk_files_insurer_id FOREIGN KEY (insurer_id) REFERENCES insurers (id)
);

CREATE TABLE insureds (
    id uuid NOT NULL, insurer_id uuid NOT NULL, credit_code varchar NOT NULL, name varchar NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_insureds PRIMARY KEY (id),
    CONSTRAINT uq_insureds_insurer_id_credit_code UNIQUE (insurer_id, credit_code),
    CONSTRAINT uq_insureds_insurer_id_id UNIQUE (insurer_id, id),
    CONSTRAINT fk_insureds_insurer_id FOREIGN KEY (insurer_id) REFERENCES insurers (id)
);

CREATE TABLE cases (
    id uuid NOT NULL, kind text NOT NULL, insurer_id uuid NOT NULL, workflow_id varchar NOT NULL,
    parent_id uuid, number varchar NOT NULL, region varchar NOT NULL, sector text NOT NULL, size text NOT NULL,
    stage varchar NOT NULL, insured_id uuid NOT NULL, insured_name varchar NOT NULL, signed_on date NOT NULL,
    effective_on date NOT NULL, expires_on date NOT NULL, next_duty varchar, next_due_at timestamptz,
    next_alarm_at timestamptz, provisional boolean NOT NULL, rate_review boolean NOT NULL,
    open_hazards integer NOT NULL, ended_at timestamptz, packs jsonb NOT NULL,
    calendar_through integer NOT NULL, clock jsonb NOT NULL, view jsonb NOT NULL, seq integer NOT NULL,
    opened_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
    CONSTRAINT pk_cases PRIMARY KEY (id),
    CONSTRAINT uq_cases_insurer_id_id UNIQUE (insurer_id, id),
    CONSTRAINT fk_cases_insurer_id_parent_id FOREIGN KEY (insurer_id, parent_id) REFERENCES cases (insurer_id, id),
    CONSTRAINT fk_cases_insurer_id_insured_id
        FOREIGN KEY (insurer_id, insured_id) REFERENCES insureds (insurer_id, id),
    CONSTRAINT ck_cases_seq_counts_from_one CHECK (seq >= 1),
    CONSTRAINT ck_cases_open_hazards_not_negative CHECK (open_hazards >= 0),
    CONSTRAINT fk_cases_insurer_id FOREIGN KEY (insurer_id) REFERENCES insurers (id),
    CONSTRAINT uq_cases_workflow_id UNIQUE (workflow_id)
);
CREATE INDEX ix_cases_insurer_id_kind_changed_at_id ON cases (insurer_id, kind, changed_at, id);
CREATE INDEX ix_cases_insurer_id_parent_id ON cases (insurer_id, parent_id);
CREATE INDEX ix_cases_insurer_id_stage ON cases (insurer_id, stage);
CREATE INDEX ix_cases_next_alarm_at ON cases (next_alarm_at);
CREATE INDEX ix_cases_next_due_at ON cases (next_due_at);
CREATE INDEX ix_cases_provisional ON cases (id) WHERE provisional;
CREATE INDEX ix_cases_region_sector ON cases (region, sector);
CREATE UNIQUE INDEX uq_cases_number ON cases (insurer_id, kind, parent_id, number) NULLS NOT DISTINCT;

CREATE TABLE recipients (
    id uuid NOT NULL, role text NOT NULL, insurer_id uuid, insured_id uuid, region varchar, department varchar,
    name varchar NOT NULL, email varchar NOT NULL, fallback_id uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_recipients PRIMARY KEY (id),
    CONSTRAINT uq_recipients_region_department UNIQUE (region, department),
    CONSTRAINT uq_recipients_insured_id UNIQUE (insured_id),
    CONSTRAINT fk_recipients_insurer_id_insured_id
        FOREIGN KEY (insurer_id, insured_id) REFERENCES insureds (insurer_id, id),
    CONSTRAINT ck_recipients_insured_has_insurer CHECK (insured_id IS NULL OR insurer_id IS NOT NULL),
    CONSTRAINT ck_recipients_department_has_place CHECK ((region IS NULL) = (department IS NULL)),
    CONSTRAINT ck_recipients_department_is_nobodys CHECK (department IS NULL OR insurer_id IS NULL),
    CONSTRAINT fk_recipients_insurer_id FOREIGN KEY (insurer_id) REFERENCES insurers (id),
    CONSTRAINT fk_recipients_fallback_id FOREIGN KEY (fallback_id) REFERENCES recipients (id)
);
CREATE UNIQUE INDEX uq_recipients_desk ON recipients (insurer_id, role) WHERE insured_id IS NULL;

CREATE TABLE api_keys (
    id uuid NOT NULL, kind text NOT NULL, insurer_id uuid, recipient_id uuid, name varchar NOT NULL,
    prefix varchar NOT NULL, key_hash varchar NOT NULL, created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz, revoked_at timestamptz,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT ck_api_keys_insurer_key_has_insurer CHECK ((kind = 'insurer') = (insurer_id IS NOT NULL)),
    CONSTRAINT ck_api_keys_department_key_has_recipient CHECK (kind <> 'department' OR recipient_id IS NOT NULL),
    CONSTRAINT fk_api_keys_insurer_id FOREIGN KEY (insurer_id) REFERENCES insurers (id),
    CONSTRAINT fk_api_keys_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id),
    CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash)
);
CREATE INDEX ix_api_keys_insurer_id ON api_keys (insurer_id);

CREATE TABLE commands (
    case_id uuid NOT NULL, command_id varchar NOT NULL, insurer_id uuid NOT NULL, seq integer NOT NULL,
    fingerprint varchar NOT NULL, answer jsonb NOT NULL, at timestamptz NOT NULL,
    CONSTRAINT pk_commands PRIMARY KEY (case_id, command_id),
    CONSTRAINT fk_commands_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id)
);
CREATE INDEX ix_commands_insurer_id_command_id ON commands (insurer_id, command_id);

CREATE TABLE mails (
    id uuid NOT NULL, recipient_id uuid NOT NULL, message_id varchar NOT NULL, urgency text NOT NULL,
    subject varchar, status text DEFAULT 'queued' NOT NULL, attempts integer DEFAULT 0 NOT NULL,
    composed_at timestamptz NOT NULL, sent_at timestamptz, next_try_at timestamptz, moved_to uuid,
    last_code integer,
    CONSTRAINT pk_mails PRIMARY KEY (id),
    CONSTRAINT ck_mails_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT fk_mails_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id),
    CONSTRAINT uq_mails_message_id UNIQUE (message_id),
    CONSTRAINT fk_mails_moved_to FOREIGN KEY (moved_to) REFERENCES recipients (id)
);
CREATE INDEX ix_mails_recipient_id ON mails (recipient_id);
CREATE INDEX ix_mails_unsent ON mails (recipient_id) WHERE sent_at IS NULL;

CREATE TABLE steps (
    case_id uuid NOT NULL, seq integer NOT NULL, insurer_id uuid NOT NULL, at timestamptz NOT NULL,
    recorded_at timestamptz DEFAULT now() NOT NULL, command_id varchar, command_name varchar, actor_kind text,
    actor_id varchar, actor_name varchar, cause jsonb,
    CONSTRAINT pk_steps PRIMARY KEY (case_id, seq),
    CONSTRAINT fk_steps_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id)
);

CREATE TABLE timeline (
    case_id uuid NOT NULL, seq integer NOT NULL, line integer NOT NULL, insurer_id uuid NOT NULL,
    event text NOT NULL, at timestamptz NOT NULL, duty_key varchar NOT NULL, said varchar NOT NULL,
    data jsonb NOT NULL,
    CONSTRAINT pk_timeline PRIMARY KEY (case_id, seq, line),
    CONSTRAINT fk_timeline_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id)
);

CREATE TABLE attempts (
    mail_id uuid NOT NULL, number integer NOT NULL, started_at timestamptz NOT NULL, ended_at timestamptz,
    outcome text, code integer, reply varchar,
    CONSTRAINT pk_attempts PRIMARY KEY (mail_id, number),
    CONSTRAINT fk_attempts_mail_id FOREIGN KEY (mail_id) REFERENCES mails (id)
);

CREATE TABLE outbox (
    id uuid NOT NULL, notice_key varchar NOT NULL, insurer_id uuid NOT NULL, case_id uuid NOT NULL,
    seq integer NOT NULL, kind text NOT NULL, to_role text NOT NULL, recipient_id uuid NOT NULL,
    urgency text NOT NULL, at timestamptz NOT NULL, about jsonb NOT NULL, cites jsonb, matter jsonb NOT NULL,
    status text DEFAULT 'queued' NOT NULL, mail_id uuid, queued_at timestamptz DEFAULT now() NOT NULL,
    told_at timestamptz, acknowledged_at timestamptz,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT fk_outbox_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id),
    CONSTRAINT uq_outbox_notice_key UNIQUE (notice_key),
    CONSTRAINT fk_outbox_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id),
    CONSTRAINT fk_outbox_mail_id FOREIGN KEY (mail_id) REFERENCES mails (id)
);
CREATE INDEX ix_outbox_insurer_id_case_id ON outbox (insurer_id, case_id);
CREATE INDEX ix_outbox_mail_id ON outbox (mail_id);
CREATE INDEX ix_outbox_recipient_id_queued_at ON outbox (recipient_id, queued_at);
CREATE INDEX ix_outbox_waiting ON outbox (recipient_id, urgency) WHERE mail_id IS NULL;

CREATE TABLE links (
    id uuid NOT NULL, token_hash varchar NOT NULL, insurer_id uuid NOT NULL, case_id uuid NOT NULL,
    recipient_id uuid NOT NULL, notice_id uuid, purpose text NOT NULL, duty_key varchar NOT NULL,
    expires_at timestamptz NOT NULL, revoked_at timestamptz, created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_links PRIMARY KEY (id),
    CONSTRAINT fk_links_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id),
    CONSTRAINT uq_links_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_links_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id),
    CONSTRAINT fk_links_notice_id FOREIGN KEY (notice_id) REFERENCES outbox (id)
);
CREATE INDEX ix_links_case_id ON links (case_id);
CREATE INDEX ix_links_notice_id ON links (notice_id);

CREATE TABLE tasks (
    id uuid NOT NULL, kind text NOT NULL, insurer_id uuid, case_id uuid, recipient_id uuid, notice_id uuid,
    said varchar NOT NULL, created_at timestamptz DEFAULT now() NOT NULL, done_at timestamptz,
    CONSTRAINT pk_tasks PRIMARY KEY (id),
    CONSTRAINT uq_tasks_kind_notice_id UNIQUE (kind, notice_id),
    CONSTRAINT fk_tasks_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id),
    CONSTRAINT fk_tasks_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id),
    CONSTRAINT fk_tasks_notice_id FOREIGN KEY (notice_id) REFERENCES outbox (id)
);
CREATE INDEX ix_tasks_open ON tasks (created_at) WHERE done_at IS NULL;

CREATE TABLE link_uses (
    link_id uuid NOT NULL, action varchar NOT NULL, used_at timestamptz DEFAULT now() NOT NULL,
    command_id varchar,
    CONSTRAINT pk_link_uses PRIMARY KEY (link_id, action),
    CONSTRAINT fk_link_uses_link_id FOREIGN KEY (link_id) REFERENCES links (id)
);
"""

# Whom a notice without a department goes to; the address is a setting, written when the system starts.
HUMAN_QUEUE = """
INSERT INTO recipients (id, role, name, email)
VALUES ('6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c00', 'human_queue', '人工处理', '')
"""


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES.split(";\n"):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(HUMAN_QUEUE)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
