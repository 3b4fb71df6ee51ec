"""What `anze doctor` says of lines to other machines on which what travels can be read; nothing is connected to."""

import pytest
from pydantic import SecretStr

from runtime.checkup.lines import Lines
from runtime.settings import Settings

HERE = "postgresql://anze_app@127.0.0.1:5433/anze"
SOCKET = "postgresql:///anze?host=/run/postgresql"
THERE = "postgresql://anze_app@db.example:5432/anze"
WHOLE = "?sslmode=verify-full"
AWAY = "temporal.example:7233"
ANY = "of-the-tests"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_BACKUP_URL", "DATABASE_ADMIN_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_API_KEY", "TEMPORAL_TLS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("application", "backup", "told"),
    [
        (None, None, None),
        (HERE, SOCKET, None),
        ("postgresql://anze_app@[::1]/anze", "postgresql://localhost/anze", None),
        (THERE + WHOLE, "postgresql+asyncpg://db.example/anze?ssl=verify-full", None),
        (THERE, None, "db.example（sslmode=prefer）"),
        (THERE + WHOLE, f"{THERE}?sslmode=require", "db.example（sslmode=require）"),
    ],
)
async def test_a_database_on_another_machine_is_asked_for_its_certificate_under_every_address(
    application: str | None, backup: str | None, told: str | None
) -> None:
    given = {"database_url": application, "database_backup_url": backup}
    settings = Settings().model_copy(update={name: SecretStr(one) for name, one in given.items() if one is not None})
    [found] = await Lines(settings).database()
    assert (found.about, found.state.value) == ("数据库加密", "good" if told is None else "note")
    assert told is None or told in found.says
    assert "anze_app" not in found.says


@pytest.mark.parametrize(
    ("address", "given", "state"),
    [
        (None, {}, "good"),
        ("127.0.0.1:7233", {}, "good"),
        (AWAY, {}, "note"),
        (AWAY, {"TEMPORAL_TLS": "true"}, "good"),
        (AWAY, {"TEMPORAL_API_KEY": ANY}, "good"),
    ],
)
async def test_an_engine_on_another_machine_is_to_be_spoken_with_under_tls(
    address: str | None, given: dict[str, str], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    [found] = await Lines(Settings().model_copy(update={"temporal_address": address})).engine()
    assert (found.about, found.state.value) == ("流程引擎加密", state)
    assert state == "good" or "temporal.example" in found.says
