"""Who comes in: users, sessions, asked letters, the scopes of departments; and what scopes and enterprises may see."""

from alembic import op

revision = "20261122_6"
down_revision = "20261122_5"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE users (
    id uuid NOT NULL, kind text NOT NULL, insurer_id uuid, recipient_id uuid, email varchar NOT NULL,
    name varchar NOT NULL, posts varchar[] DEFAULT '{}' NOT NULL, issuer varchar, subject varchar,
    created_at timestamptz DEFAULT now() NOT NULL, disabled_at timestamptz,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email),
    CONSTRAINT uq_users_issuer_subject UNIQUE (issuer, subject),
    CONSTRAINT ck_users_insurer_user_has_insurer CHECK ((kind = 'insurer') = (insurer_id IS NOT NULL)),
    CONSTRAINT ck_users_officer_has_department CHECK ((kind = 'department') = (recipient_id IS NOT NULL)),
    CONSTRAINT ck_users_identity_is_whole CHECK ((issuer IS NULL) = (subject IS NULL)),
    CONSTRAINT ck_users_email_is_lower_case CHECK (email = lower(email)),
    CONSTRAINT fk_users_insurer_id FOREIGN KEY (insurer_id) REFERENCES insurers (id),
    CONSTRAINT fk_users_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id)
);
CREATE INDEX ix_users_insurer_id ON users (insurer_id);

CREATE TABLE sessions (
    token_hash varchar NOT NULL, user_id uuid, recipient_id uuid, came_by text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL, seen_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL, revoked_at timestamptz,
    CONSTRAINT pk_sessions PRIMARY KEY (token_hash),
    CONSTRAINT ck_sessions_one_holder CHECK ((user_id IS NULL) <> (recipient_id IS NULL)),
    CONSTRAINT fk_sessions_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_sessions_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id)
);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
CREATE INDEX ix_sessions_recipient_id ON sessions (recipient_id);

CREATE TABLE asked_letters (
    id uuid NOT NULL, recipient_id uuid NOT NULL, asked_for text NOT NULL, link_id uuid,
    asked_at timestamptz DEFAULT now() NOT NULL, expires_at timestamptz NOT NULL,
    tries integer DEFAULT 0 NOT NULL, used_at timestamptz, mail_id uuid,
    CONSTRAINT pk_asked_letters PRIMARY KEY (id),
    CONSTRAINT ck_asked_letters_tries_not_negative CHECK (tries >= 0),
    CONSTRAINT ck_asked_letters_link_is_named CHECK ((asked_for = 'code_to_enter') = (link_id IS NULL)),
    CONSTRAINT fk_asked_letters_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id),
    CONSTRAINT fk_asked_letters_link_id FOREIGN KEY (link_id) REFERENCES links (id),
    CONSTRAINT fk_asked_letters_mail_id FOREIGN KEY (mail_id) REFERENCES mails (id)
);
CREATE INDEX ix_asked_letters_recipient_id_asked_at ON asked_letters (recipient_id, asked_at);
CREATE INDEX ix_asked_letters_waiting ON asked_letters (recipient_id) WHERE mail_id IS NULL;

CREATE TABLE department_scopes (
    recipient_id uuid NOT NULL, prefix varchar NOT NULL, sector varchar NOT NULL,
    CONSTRAINT pk_department_scopes PRIMARY KEY (recipient_id, prefix, sector),
    CONSTRAINT fk_department_scopes_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id)
);
"""

TENANT = "insurer_id = nullif(current_setting('anze.tenant', true), '')::uuid"
OPERATOR = "current_setting('anze.operator', true) = 'on'"
ADDRESSED = "recipient_id = ANY (string_to_array(nullif(current_setting('anze.recipient', true), ''), ',')::uuid[])"
OFFICE = "nullif(current_setting('anze.office', true), '')::uuid"
INSURED = "nullif(current_setting('anze.insured', true), '')::uuid"
SESSION = "token_hash = nullif(current_setting('anze.session', true), '')"
# Whom the OIDC provider has just vouched for: the address, or issuer and subject once they are bound.
IDENTITY = "nullif(current_setting('anze.identity', true), '') IN (email, issuer || ' ' || subject)"
OF_THE_SESSION = "EXISTS (SELECT 1 FROM sessions WHERE sessions.user_id = users.id)"
IN_SCOPE = (
    "kind IN ('policy', 'hazard') AND EXISTS (SELECT 1 FROM department_scopes s"
    f" WHERE s.recipient_id = {OFFICE} AND starts_with(cases.region, s.prefix) AND s.sector IN ('*', cases.sector))"
)
# Its own subselect sees through the policies of cases: what of a case is visible, of that its record is.
OF_A_CASE = "EXISTS (SELECT 1 FROM cases WHERE cases.id = {table}.case_id AND ({condition}))"
SHOWN = f"{OFFICE} IS NOT NULL OR cases.insured_id = {INSURED}"

POLICIES = (
    ("users", "tenant", "ALL", TENANT),
    ("users", "operator", "ALL", OPERATOR),
    ("users", "identity", "ALL", IDENTITY),
    ("users", "session", "SELECT", OF_THE_SESSION),
    ("sessions", "session", "ALL", SESSION),
    ("sessions", "operator", "ALL", OPERATOR),
    ("asked_letters", "recipient", "ALL", ADDRESSED),
    ("department_scopes", "everybody", "SELECT", "true"),
    ("department_scopes", "operator", "ALL", OPERATOR),
    ("cases", "office", "SELECT", IN_SCOPE),
    ("cases", "insured", "SELECT", f"insured_id = {INSURED}"),
    ("steps", "shown", "SELECT", OF_A_CASE.format(table="steps", condition=SHOWN)),
    ("timeline", "shown", "SELECT", OF_A_CASE.format(table="timeline", condition=SHOWN)),
)
NEW = ("users", "sessions", "asked_letters", "department_scopes")


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    for table in NEW:
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for table, name, command, condition in POLICIES:
        check = "" if command == "SELECT" else f" WITH CHECK ({condition})"
        connection.exec_driver_sql(
            f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO anze_app USING ({condition}){check}"
        )
    connection.exec_driver_sql(f"REVOKE ALL ON {', '.join(NEW)} FROM anze_app")
    connection.exec_driver_sql("GRANT SELECT, INSERT, UPDATE ON users, sessions, asked_letters TO anze_app")
    # A department's places and sectors are the one thing an operator takes away again.
    connection.exec_driver_sql("GRANT SELECT, INSERT, DELETE ON department_scopes TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
