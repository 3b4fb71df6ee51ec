"""Looks at the lines to servers on other machines: can what travels there be read, could somebody stand in between."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from runtime.checkup.finding import Finding, State, judged
from runtime.settings import Settings

PROVED = "verify-full"
"""The one mode of PostgreSQL's clients in which somebody in between neither reads along nor passes for the server."""


def is_here(host: str | None) -> bool:
    """Whether a host is this machine: loopback, or the folder of a socket; none given is this machine too."""
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Lines:
    """What the settings say of both; nothing is connected to."""

    settings: Settings

    async def database(self) -> list[Finding]:
        """Every address that was given, not only the one the doctor comes in by."""
        told = self.settings
        given = (told.database_url, told.database_owner_url, told.database_backup_url, told.database_admin_url)
        modes = (_mode(one) for one in given if one is not None)
        open_lines = sorted(
            {f"{host}（sslmode={mode}）" for host, mode in modes if not is_here(host) and mode != PROVED}
        )
        said = (
            f"都在本机，或者 sslmode={PROVED}",
            f"{'、'.join(open_lines)}：密码和内容在路上可能被读到、被顶替，用 sslmode={PROVED}",
        )
        return [judged("数据库加密", not open_lines, said, "database.md#线路加密", State.NOTE)]

    async def engine(self) -> list[Finding]:
        """An API key brings TLS with it; whether the server asks for a certificate of ours is its own affair."""
        told = self.settings.temporal_connect_config()
        host = urlsplit(f"//{told.get('target_host') or ''}").hostname
        sealed = is_here(host) or bool(told.get("tls"))
        said = "在本机，或者用 TLS", f"{host} 没有用 TLS：谁在路上都能读、能写流程，设置 TEMPORAL_TLS_*"
        return [judged("流程引擎加密", sealed, said, "temporal.md#线路加密", State.NOTE)]


def _mode(url: SecretStr) -> tuple[str | None, str]:
    """Host and mode of an address, in either spelling; what it leaves open is the driver's own choice."""
    parts = urlsplit(url.get_secret_value())
    query = dict(parse_qsl(parts.query))
    mode = query.get("sslmode") or query.get("ssl") or "prefer"
    return parts.hostname or query.get("host"), mode
