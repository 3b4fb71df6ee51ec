"""How many cases took one command, said on the terminal or for programs; sends nothing."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from api.operator.sending import Outcome, Result


def say(results: Sequence[Result], opening: str) -> None:
    """For people: each change, each failure on standard error, and behind `opening` how many came out how."""
    for result in results:
        for sentence in result.moved.values():
            typer.echo(f"{result.workflow_id}：{sentence}")
        if result.failed:
            typer.echo(f"{result.workflow_id}：{result.outcome.label} {result.why}", err=True)
    counts = {outcome.label: sum(one.outcome is outcome for one in results) for outcome in Outcome}
    told = "，".join(f"{label} {count}" for label, count in counts.items() if count)
    typer.echo(f"{opening}{told}")


def rows(results: Sequence[Result], changes: str) -> list[dict[str, Any]]:
    """For programs; `changes` is the key of what changed."""
    return [
        {"case": one.workflow_id, "outcome": one.outcome.value, changes: dict(one.moved), "why": one.why}
        for one in results
    ]


def write(document: Mapping[str, Any]) -> None:
    """As JSON in UTF-8, whatever the terminal speaks."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2).encode())
    sys.stdout.flush()
