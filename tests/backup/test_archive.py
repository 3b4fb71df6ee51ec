"""An archive says when it was cut off, changed, or sealed with another key; a backup proves what it holds."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import asyncpg
import pytest

from models.tables.sealed import FieldKeys, new_key
from runtime.backup.archive import FRAME, ArchiveReader, ArchiveWriter, Damaged
from runtime.backup.restoring import NotRestored, Target, look_into, prove, restore
from runtime.backup.taking import Failed, take
from runtime.embedded.postgres import PostgresServer
from runtime.roles import Roles, ensure_roles, put_aside
from tests.conftest import Database
from tests.tables.rows import seed

AT, ASIDE = datetime(2026, 11, 22, tzinfo=UTC), "before_20261122000000"
KEYS = FieldKeys.parse(f"b1:{new_key()}")
MANIFEST, DATA = b"{}", bytes(range(256)) * (FRAME // 100)


def archive(keys: FieldKeys | None = KEYS) -> bytes:
    file = BytesIO()
    file.fileno = lambda: 1  # type: ignore[method-assign]
    writer = ArchiveWriter(file, keys)
    writer.begin(MANIFEST)
    for start in range(0, len(DATA), 70_000):
        writer.write(DATA[start : start + 70_000])
    return file.getvalue() if _closed(writer) else b""


def _closed(writer: ArchiveWriter) -> bool:
    writer._frame(bytes(writer._waiting), last=True)
    return True


def read(content: bytes, keys: FieldKeys | None = KEYS) -> tuple[bytes, bytes]:
    reader = ArchiveReader(BytesIO(content), keys)
    return reader.begin(), b"".join(reader.data())


class TestAnArchive:
    @pytest.mark.parametrize("keys", [KEYS, None], ids=["sealed", "open"])
    def test_gives_back_what_was_put_in(self, keys: FieldKeys | None) -> None:
        assert read(archive(keys), keys) == (MANIFEST, DATA)

    def test_is_not_readable_without_its_key(self) -> None:
        sealed = archive()
        assert DATA[:64] not in sealed
        for keys in (None, FieldKeys.parse(f"b1:{new_key()}"), FieldKeys.parse(f"b2:{new_key()}")):
            with pytest.raises(Damaged):
                read(sealed, keys)

    def test_is_opened_with_an_older_key_too(self) -> None:
        later = FieldKeys({"b2": FieldKeys.parse(f"b2:{new_key()}").keys["b2"], **KEYS.keys})
        assert read(archive(), later)[1] == DATA

    @pytest.mark.parametrize("keys", [KEYS, None], ids=["sealed", "open"])
    def test_that_is_cut_off_anywhere_says_so(self, keys: FieldKeys | None) -> None:
        whole = archive(keys)
        for length in (0, 5, 20, 200, len(whole) // 2, len(whole) - 1):
            with pytest.raises(Damaged):
                read(whole[:length], keys)
        with pytest.raises(Damaged):
            read(whole + b"x", keys)

    @pytest.mark.parametrize("keys", [KEYS, None], ids=["sealed", "open"])
    def test_with_a_changed_byte_says_so(self, keys: FieldKeys | None) -> None:
        whole = archive(keys)
        for place in (3, 40, 200, len(whole) // 2, len(whole) - 1):
            with pytest.raises(Damaged):
                read(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :], keys)

    def test_that_is_not_sealed_is_refused_where_there_are_keys(self) -> None:
        with pytest.raises(Damaged):
            read(archive(None), KEYS)

    @pytest.mark.parametrize("keys", [KEYS, None], ids=["sealed", "open"])
    def test_without_one_of_its_frames_says_so(self, keys: FieldKeys | None) -> None:
        whole = archive(keys)
        header = 14 + 4 + int.from_bytes(whole[14:18], "big")
        size = 5 + int.from_bytes(whole[header : header + 4], "big")
        with pytest.raises(Damaged):
            read(whole[: header + size] + whole[header + 2 * size :], keys)


class TestABackup:
    async def test_holds_every_row_of_every_insurer_and_never_overwrites(
        self, database: Database, tmp_path: Path
    ) -> None:
        await seed(database)
        others = tmp_path / ".a.backup.part"
        others.write_text("the draft of a backup that still runs, or was killed")
        taken = await take(database.backup, tmp_path / "a.backup", KEYS, "default")
        assert taken.manifest.tables["cases"].rows == 2
        assert taken.manifest.tables["steps"].forced
        assert look_into(taken.path, KEYS) == taken.manifest
        assert taken.path.stat().st_mode & 0o077 == 0
        with pytest.raises(Failed):
            await take(database.backup, tmp_path / "a.backup", KEYS, "default")
        assert sorted(tmp_path.iterdir()) == [others, taken.path]

    async def test_is_the_same_in_a_database_made_the_usual_way(
        self, database: Database, postgres: PostgresServer, tmp_path: Path
    ) -> None:
        await seed(database)
        taken = await take(database.backup, tmp_path / "a.backup", KEYS, "default")
        name = f"{database.name}_again"
        owner, app, backup = (postgres.url(role, name) for role in ("owner", "app", "backup"))
        admin = await asyncpg.connect(postgres.url("admin", "postgres"))
        try:
            await ensure_roles(postgres.url("admin", "postgres"), Roles(owner, app, backup))
            proof = await restore(taken.path, Target(owner, backup), KEYS)
            assert [fault for fault in proof.faults if "审计链" not in fault] == []  # the seed's chains are made up
            inside = await asyncpg.connect(owner)
            with pytest.raises(LookupError, match="还有程序连着"):  # the server waits five seconds for it to go
                await put_aside(postgres.url("admin", "postgres"), name, AT)
            await inside.close()
            assert await put_aside(postgres.url("admin", "postgres"), name, AT) == f"{name}_{ASIDE}"
            assert await put_aside(postgres.url("admin", "postgres"), name, AT) == ""
        finally:
            for one in (name, f"{name}_{ASIDE}"):
                await admin.execute(f'DROP DATABASE IF EXISTS "{one}" WITH (FORCE)')
            await admin.close()

    async def test_is_refused_to_a_role_that_does_not_see_every_row(self, database: Database, tmp_path: Path) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await take(database.app, tmp_path / "a.backup", KEYS, "default")
        assert list(tmp_path.iterdir()) == []

    async def test_is_not_restored_over_anything(self, database: Database, tmp_path: Path) -> None:
        taken = await take(database.backup, tmp_path / "a.backup", None, "default")
        with pytest.raises(NotRestored):
            await restore(taken.path, Target(database.owner, database.backup), None)

    async def test_tells_a_database_that_is_not_what_was_backed_up(self, database: Database, tmp_path: Path) -> None:
        await seed(database)
        taken = await take(database.backup, tmp_path / "a.backup", None, "default")
        connection = await asyncpg.connect(database.admin)
        await connection.execute("UPDATE cases SET number = 'P-2' WHERE number = 'P-1'")
        await connection.execute("DELETE FROM link_uses")
        await connection.execute("ALTER TABLE steps NO FORCE ROW LEVEL SECURITY")
        await connection.execute("GRANT DELETE ON timeline TO anze_app")
        await connection.close()
        proof = await prove(taken.manifest, database.backup)
        told = {fault.partition("：")[0]: fault.partition("：")[2] for fault in proof.faults if "审计链" not in fault}
        assert told["cases"] == "行数相符，内容不符"
        assert told["link_uses"] == "应有 2 行，实有 0 行"
        assert told["steps"] == "行级安全与备份时不同"
        assert told["timeline"] == "授权与备份时不同"
        assert not proof.holds
