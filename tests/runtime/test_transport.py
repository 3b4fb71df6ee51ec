"""Where TLS was asked for nothing is said in the clear: not to a database, not to a mail server, not to Temporal."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from activities.mailserver import Outcome, SmtpSettings, hand_over
from models.tables.engine import make_engine
from runtime.embedded.ports import LOOPBACK
from runtime.settings import Settings, sqlalchemy_url
from tests.runtime.waiting import PATIENCE

PLANTED = "planted-word-4711"
SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@dataclass
class Certified:
    """A certificate of one's own making, and whoever trusts it."""

    folder: Path

    def __post_init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, LOOPBACK)]), datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        plain = serialization.NoEncryption()
        self.path.write_bytes(made.public_bytes(pem))
        (self.folder / "key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))

    @property
    def path(self) -> Path:
        return self.folder / "certificate"

    @property
    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self.folder / "key")
        return context


@dataclass
class Listener:
    """A server that says a few lines and writes down everything it is told before and after it changes to TLS."""

    port: int = 0
    clear: bytearray = field(default_factory=bytearray)
    sealed: bytearray = field(default_factory=bytearray)


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return Certified(tmp_path)


@asynccontextmanager
async def listening(certified: Certified, *, offers: bool, mail: bool = False) -> AsyncIterator[Listener]:
    """A database, or a mail server, that offers TLS or does not."""
    heard = Listener()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if mail:
                await _as_mail_server(reader, writer, heard, offers=offers)
            else:
                heard.clear += await reader.readexactly(len(SSL_REQUEST))
                writer.write(b"S" if offers else b"N")
            if offers:
                await writer.start_tls(certified.server)
                heard.sealed += await reader.read(1000)
            else:
                heard.clear += await reader.read(1000)
        except (OSError, EOFError):  # the client went away, as it should
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    heard.port = server.sockets[0].getsockname()[1]
    async with server:
        yield heard


async def _as_mail_server(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Listener, *, offers: bool
) -> None:
    """One that would take a password and a letter in the clear, too."""
    writer.write(b"220 here\r\n")
    heard.clear += await reader.readline()
    writer.write(b"250-here\r\n250-AUTH PLAIN LOGIN\r\n" + (b"250 STARTTLS\r\n" if offers else b"250 8BITMIME\r\n"))
    if offers:
        heard.clear += await reader.readline()
        writer.write(b"220 go ahead\r\n")


async def connected(port: int, mode: str) -> None:
    engine = make_engine(sqlalchemy_url(f"postgresql://{PLANTED}:{PLANTED}@{LOOPBACK}:{port}/x?sslmode={mode}"))
    try:
        async with asyncio.timeout(PATIENCE), engine.connect():
            pass
    finally:
        await engine.dispose()


@pytest.mark.parametrize("mode", ["require", "verify-full"])
async def test_a_database_that_has_no_tls_learns_neither_name_nor_password(
    certified: Certified, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("PGSSLROOTCERT", str(certified.path))
    async with listening(certified, offers=False) as heard:
        with pytest.raises(ConnectionError, match="SSL"):
            await connected(heard.port, mode)
    assert bytes(heard.clear) == SSL_REQUEST


async def test_a_database_is_spoken_to_only_under_a_certificate_of_the_named_authority(
    certified: Certified, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    somebody = Certified(tmp_path_factory.mktemp("somebody"))
    for trusted, reached in ((somebody, False), (certified, True)):
        monkeypatch.setenv("PGSSLROOTCERT", str(trusted.path))
        async with listening(certified, offers=True) as heard:
            with pytest.raises(Exception):  # noqa: B017, PT011 - nobody here is a database
                await connected(heard.port, "verify-full")
        assert (PLANTED.encode() in heard.sealed) == reached
        assert PLANTED.encode() not in heard.clear


@pytest.mark.parametrize("offers", [False, True], ids=("offers none", "with a certificate nobody knows"))
async def test_a_mail_server_without_tls_one_can_trust_is_given_no_letter(certified: Certified, offers: bool) -> None:
    letter = EmailMessage()
    letter.set_content(PLANTED)
    async with listening(certified, offers=offers, mail=True) as heard:
        told = SmtpSettings(
            LOOPBACK, heard.port, f"{PLANTED}@anze.example", PLANTED, PLANTED, tls="starttls", timeout=PATIENCE
        )
        verdict = await hand_over(told, letter, "to@gov.example")
    assert verdict.outcome is Outcome.LATER
    assert heard.sealed == b""
    said = [line.split(b" ")[0].upper() for line in bytes(heard.clear).splitlines()]
    assert said[0] == b"EHLO"
    assert (b"STARTTLS" in said) == offers
    assert set(said) <= {b"EHLO", b"STARTTLS", b"QUIT"}


def test_temporal_is_spoken_to_by_tls_with_our_own_certificate_where_that_is_set(
    certified: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("TEMPORAL_TLS", "true"),
        ("TEMPORAL_TLS_CLIENT_CERT_PATH", str(certified.path)),
        ("TEMPORAL_TLS_CLIENT_KEY_PATH", str(certified.folder / "key")),
        ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(certified.path)),
    ):
        monkeypatch.setenv(name, value)
    tls = Settings(temporal_address="temporal.example:7233").temporal_connect_config().get("tls")
    assert tls is not None
    assert not isinstance(tls, bool)
    assert tls.client_cert == tls.server_root_ca_cert == certified.path.read_bytes()
    assert tls.client_private_key == (certified.folder / "key").read_bytes()
