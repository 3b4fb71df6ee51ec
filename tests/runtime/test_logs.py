"""Logs: one line per event, allow-listed fields, nothing of a person, whichever library speaks."""

import json
import subprocess
import sys

import pytest

SPEAKER = """
import logging, sys
import structlog
from runtime import logs
from runtime.settings import Settings

logs.configure(Settings(log_format=sys.argv[1], log_level=sys.argv[2]), "test")
log = structlog.get_logger("anze.test")
log.info("step committed", case="policy/341300/x", clause="二(五)", contact_name="张三", phone="13800000000")
log.info("two\\nlines\\r\\x1b[31m", case="a\\nb")
logging.getLogger("some.library").warning("library says %s", "x\\ny")
try:
    raise ValueError("身份证 110101199003070000")
except ValueError:
    log.exception("failed")
    logging.getLogger("some.library").exception("library failed")
"""


def spoken(style: str, level: str = "info") -> list[str]:
    done = subprocess.run([sys.executable, "-c", SPEAKER, style, level], capture_output=True, text=True, check=True)
    return done.stderr.splitlines()


@pytest.mark.parametrize("style", ["json", "console"])
def test_every_event_is_one_line(style: str) -> None:
    assert len(spoken(style)) == 5


@pytest.mark.parametrize("style", ["json", "console"])
def test_only_allowed_fields_are_written_and_the_others_are_named(style: str) -> None:
    text = "\n".join(spoken(style))
    assert "policy/341300/x" in text
    assert "二(五)" in text
    assert "张三" not in text
    assert "13800000000" not in text
    assert "contact_name" in text


def test_an_exception_tells_type_and_place_but_not_what_it_quotes() -> None:
    lines = [json.loads(line) for line in spoken("json")]
    for line in lines[3:]:
        assert line["where"].startswith("ValueError @ <module>:")
    assert "110101199003070000" not in "\n".join(spoken("json"))
    assert "110101199003070000" in "\n".join(spoken("json", "debug"))


def test_json_lines_carry_time_level_and_process() -> None:
    first = json.loads(spoken("json")[0])
    assert first["process"] == "test"
    assert first["level"] == "info"
    assert first["timestamp"].endswith("Z")
