"""Where payment orders go: to the insurer's own core system, to the stand-in of this machine, or into a folder."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from activities.payment_channels import FolderChannel, HttpChannel
from runtime.paying import BadCoreSystem, PayingWays
from runtime.settings import Settings

# pragma: allowlist nextline secret
SECRET = "k7Qz1pWm9XcVb3Ns5Rt8Yu2Jd4Gh6Lf0"


def told(tmp_path: Path, **more: object) -> Settings:
    plain = {name: field.get_default() for name, field in Settings.model_fields.items()}
    return Settings.model_construct(**{**plain, "var": tmp_path, "secret": SecretStr(SECRET), **more})


def systems(**more: object) -> SecretStr:
    return SecretStr(json.dumps({"PS": {"url": "https://core.ps.example", "secret": SECRET}, **more}))


def test_without_a_word_of_core_systems_orders_are_signed_files(tmp_path: Path) -> None:
    assert isinstance(PayingWays(told(tmp_path))("PS"), FolderChannel)


def test_the_stand_in_of_this_machine_takes_the_orders_of_everybody(tmp_path: Path) -> None:
    ways = PayingWays(told(tmp_path, core_secret=SecretStr(SECRET), core_system_port=18091))
    assert all(isinstance(ways(code), HttpChannel) for code in ("PS", "QY"))


def test_core_systems_that_are_given_leave_the_stand_in_out(tmp_path: Path) -> None:
    ways = PayingWays(told(tmp_path, core_secret=SecretStr(SECRET), core_systems=systems()))
    assert isinstance(ways("PS"), HttpChannel)
    assert isinstance(ways("QY"), FolderChannel)


@pytest.mark.parametrize("url", ["http://core.ps.example", "ftp://core.ps.example"])
def test_orders_name_accounts_and_travel_over_the_net_only_encrypted(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadCoreSystem, match="https"):
        PayingWays(told(tmp_path, core_systems=systems(QY={"url": url, "secret": SECRET})))


def test_a_weak_stand_in_secret_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadCoreSystem, match="secret"):
        PayingWays(told(tmp_path, core_secret=SecretStr("short")))
