"""Looks at what stands around it: mail server, identity provider, released packs, room on the disk of its folder."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib
import httpx

from activities.mailserver import SmtpSettings
from rules.library import LoadedPack
from rules.lock import broken, digests, read_lock, unlisted
from runtime.checkup.finding import Finding, State, good, judged
from runtime.checkup.lines import is_here

PATIENCE = 5.0  # seconds
MEGABYTE = 10**6
LEAST_ROOM, LITTLE_ROOM = 256, 2_048  # megabytes: below, servers and uploads are about to fail; soon will
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Outside:
    """Whom to ask; `None` where nothing is set."""

    mail: SmtpSettings | None
    issuer: str | None
    var: Path
    """The folder of this installation's files."""

    async def mail_server(self) -> list[Finding]:
        """A greeting and a login, and no mail."""
        if self.mail is None:
            return [Finding("邮件服务器", State.NOTE, "没有设置 SMTP_HOST", "mail.md#邮件服务器")]
        told = self.mail
        server = aiosmtplib.SMTP(
            hostname=told.host,
            port=told.port,
            username=told.user,
            password=told.password,
            use_tls=told.tls == "tls",
            start_tls=told.tls == "starttls",
            timeout=PATIENCE,
        )
        try:
            async with server:
                code, _ = await server.noop()
        except (aiosmtplib.SMTPException, OSError) as failure:
            says = f"{told.host}:{told.port} {type(failure).__name__}"
            return [Finding("邮件服务器", State.BAD, says, "mail.md#邮件服务器")]
        open_line = told.tls == "none" and not is_here(told.host)
        plain = (
            [Finding("邮件加密", State.NOTE, "SMTP_TLS=none：信在路上可读", "mail.md#邮件服务器")] if open_line else []
        )
        return [good("邮件服务器", f"{told.host}:{told.port} 答复 {code}"), *plain]

    async def identity_provider(self) -> list[Finding]:
        """Whether it can be discovered under the very name we know it by."""
        if self.issuer is None:
            return [Finding("统一身份认证", State.NOTE, "没有设置 ANZE_OIDC_ISSUER", "signing-in.md#统一身份认证不通")]
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
            answer = await http.get(self.issuer.rstrip("/") + DISCOVERY)
        named = answer.json().get("issuer") if answer.is_success else None
        says = f"{self.issuer} 自称 {named}" if named else f"{self.issuer} 答复 {answer.status_code}"
        return [
            judged("统一身份认证", named == self.issuer, (f"{self.issuer}", says), "signing-in.md#统一身份认证不通")
        ]

    async def room(self) -> list[Finding]:
        """Of the folder alone; what lies on other machines is watched there."""
        left = shutil.disk_usage(self.var).free // MEGABYTE if self.var.exists() else None
        if left is None or left >= LITTLE_ROOM:
            return [good("磁盘", f"{self.var} 还有 {left // 1000} GB" if left is not None else f"没有 {self.var}")]
        state = State.BAD if left < LEAST_ROOM else State.NOTE
        return [Finding("磁盘", state, f"{self.var} 只剩 {left} MB", "database.md#磁盘")]


def released_packs(packs: Sequence[LoadedPack], below: Path) -> list[Finding]:
    """Released files as they were released; `below` is the folder they and their lock lie in."""
    locked, present = read_lock(below / "packs.lock"), digests(packs, below)
    changed, drafts = broken(locked, present, below), unlisted(locked, present, below)
    told = f"{len(changed)} 份与 packs.lock 不符：anze rules check"
    where = "notice.md#案卷依据的规则文件不在"
    found = [judged("已发布的规则包", not changed, (f"{len(locked)} 份，摘要相符", told), where)]
    if drafts:
        found.append(Finding("规则包草案", State.NOTE, f"{len(drafts)} 份没有登记摘要", "notice.md"))
    return found
