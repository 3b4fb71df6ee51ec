"""Settings: the environment's names, what is refused, and what a child process is told."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from runtime.settings import Settings, plain_dsn, sqlalchemy_url

# pragma: allowlist nextline secret
GOOD_SECRET = "k7Qz1pWm9XcVb3Ns5Rt8Yu2Jd4Gh6Lf0"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DATABASE_URL", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "SMTP_HOST", "ANZE_SECRET", "ANZE_VAR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_servers_of_ones_own_are_named_by_the_usual_variables(bare_environment: pytest.MonkeyPatch) -> None:
    # pragma: allowlist nextline secret
    bare_environment.setenv("DATABASE_URL", "postgres://app:pw@db.example:5432/anze")
    bare_environment.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    bare_environment.setenv("SMTP_HOST", "smtp.example")
    settings = Settings()
    # pragma: allowlist nextline secret
    assert settings.database == "postgresql+asyncpg://app:pw@db.example:5432/anze"
    assert settings.temporal_connect_config().get("target_host") == "temporal.example:7233"
    assert settings.smtp_host == "smtp.example"


def test_without_them_the_embedded_servers_are_started() -> None:
    settings = Settings()
    assert settings.database_url is None
    assert not settings.temporal_is_given
    assert settings.smtp_host is None


@pytest.mark.parametrize("secret", ["brief", "changeme-changeme-changeme-changeme", "a" * 64, "12345678" * 8, ""])
def test_a_weak_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(secret=SecretStr(secret))
    assert "ANZE_SECRET" in str(refusal.value)
    assert not secret or secret not in str(refusal.value)


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(LookupError, match="ANZE_SECRET"):
        _ = Settings().secret_key


def test_two_services_cannot_share_a_port() -> None:
    with pytest.raises(ValidationError, match="同一个端口"):
        Settings(api_port=8233)


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValidationError, match="PostgreSQL"):
        Settings(database_url=SecretStr("mysql://somewhere/anze"))


def test_secrets_do_not_show_in_a_printed_settings_object() -> None:
    settings = Settings(secret=SecretStr(GOOD_SECRET), database_url=SecretStr("postgresql://app:hidden@db/anze"))
    assert GOOD_SECRET not in repr(settings)
    assert "hidden" not in repr(settings)


def test_a_child_process_reads_back_the_same_settings(bare_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare_environment.setenv("SMTP_HOST", "inherited.example")
    told = Settings(secret=SecretStr(GOOD_SECRET), var=tmp_path, smtp_user="who").model_copy(update={"smtp_host": None})
    environment = told.as_environment()
    assert "SMTP_HOST" not in environment
    for name, value in environment.items():
        bare_environment.setenv(name, value)
    bare_environment.delenv("SMTP_HOST")
    assert Settings() == told


def test_tls_options_follow_each_driver_s_spelling() -> None:
    url = "postgres://a:b@db.example/anze?sslmode=verify-full"
    assert sqlalchemy_url(url).endswith("?ssl=verify-full")
    assert plain_dsn(url) == "postgresql://a:b@db.example/anze?sslmode=verify-full"
