"""The page behind a link names the stage of every kind of case, claims included."""

from types import SimpleNamespace

import pytest

from api.portal.showing import _stage
from api.reads import STAGES
from models.contracts.vocabulary import CaseKind


@pytest.mark.parametrize("kind", CaseKind)
def test_every_stage_of_every_kind_has_its_name(kind: CaseKind) -> None:
    for stage in STAGES[kind]:
        assert _stage(SimpleNamespace(kind=kind, stage=stage.value)) == stage.label
