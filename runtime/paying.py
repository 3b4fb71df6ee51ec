"""Where the payment orders of each insurer go, from the settings; how they travel is in activities/payment_channels."""

import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from activities.payment_channels import Channel, FolderChannel, HttpChannel
from runtime.settings import SHORTEST_SECRET, Settings, is_weak

OTHERS = "*"
ORDERS = "payment-orders"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
HOST = "127.0.0.1"


class BadCoreSystem(ValueError):
    """A core system of the settings cannot be used; the message names the insurer and no secret."""


class PayingWays:
    """The channel of each insurer by its code; an insurer without one gets signed files in a folder of its own."""

    def __init__(self, settings: Settings) -> None:
        self._var, self._secret = settings.var, settings.secret_key
        self._told = _told(settings)
        for code in self._told:
            self(code)  # what cannot be used is said at the start, not at the first payment

    def __call__(self, code: str) -> Channel:
        told = self._told.get(code) or self._told.get(OTHERS)
        if told is None:
            return FolderChannel(self._var / ORDERS / code, self._own_secret(code))
        secret = str(told.get("secret", ""))
        if is_weak(secret):
            raise BadCoreSystem(f"{code}：secret 至少 {SHORTEST_SECRET} 个字符 / too short, or an example value")
        if "url" in told:
            return HttpChannel(_safe_url(code, str(told["url"])), secret.encode())
        if "folder" in told:
            return FolderChannel(Path(str(told["folder"])) / code, secret.encode())
        raise BadCoreSystem(f"{code}：须有 url 或者 folder / needs url or folder")

    def _own_secret(self, code: str) -> bytes:
        """The signing key of an insurer that brought none."""
        return hmac.new(self._secret, f"payment orders/{code}".encode(), "sha256").hexdigest().encode()


def _told(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    if settings.core_systems is None:
        return {} if settings.core_secret is None else {OTHERS: _stand_in(settings, settings.core_secret)}
    try:
        told = json.loads(settings.core_systems.get_secret_value())
        return {str(code): dict(one) for code, one in told.items()}
    except (ValueError, TypeError, AttributeError):
        raise BadCoreSystem("ANZE_CORE_SYSTEMS 不是 JSON 对象 / is not a JSON object") from None


def _stand_in(settings: Settings, secret: SecretStr) -> Mapping[str, str]:
    """The core system that `make up` runs on this machine."""
    return {"url": f"http://{HOST}:{settings.core_system_port}", "secret": secret.get_secret_value()}


def _safe_url(code: str, url: str) -> str:
    """Orders name accounts: over the net only encrypted."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise BadCoreSystem(f"{code}：url 须为 https（本机除外）/ https only, but for this machine")
    return url.rstrip("/")
