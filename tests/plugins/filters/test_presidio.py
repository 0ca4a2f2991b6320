"""The extra, with a stand-in for presidio's engine, which the test environment does not have."""

from types import SimpleNamespace

import polars as pl
import pytest
from workbench_plugins.filters import presidio
from workbench_plugins.filters.presidio import Presidio

from workbench.api import EnvironmentProblem


class Engine:
    def analyze(self, *, text, language, entities, score_threshold):
        assert (language, entities, score_threshold) == ("en", ["PERSON"], 0.5)
        place = text.find("Ann Lee")
        return [SimpleNamespace(start=place, end=place + 7, entity_type="PERSON")] if place >= 0 else []


def test_what_is_recognised_is_replaced_and_counted():
    component = Presidio(entities=["PERSON"])
    component.__dict__["_analyzer"] = Engine()
    result = component.rewrite(pl.DataFrame({"id": ["a", "b", "c"], "text": ["by Ann Lee.", "nobody", None]}))
    assert result.batch["text"].to_list() == ["by <PERSON>.", "nobody", None]
    assert result.edits["person"].to_list() == [1, 0, 0]


def test_the_missing_package_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(presidio, "find_spec", lambda _: None)
    with pytest.raises(EnvironmentProblem) as caught:
        Presidio().find("Ann Lee")
    assert "pip install presidio-analyzer" in str(caught.value.advice)
