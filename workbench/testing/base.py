"""What every component promises, whatever its kind."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from workbench.artifacts import Artifact
from workbench.contracts.component import Component, settings_of
from workbench.contracts.references import ComponentRef
from workbench.pipeline.settings import build_component, component_from_json
from workbench.registry import shared_registry
from workbench.testing.artifacts import labelled_corpus, small_corpus, small_model, small_tokenizer, small_tokens
from workbench.testing.trials import another_hash_seed, digest_of, trial, trial_in_process

HEAVY = ("torch", "transformers", "datasets", "sklearn", "matplotlib", "numba", "polars", "pydantic")


class Conformance:
    """Tests that hold for any component; subclasses add those of a kind.

    Attributes:
        use: `kind/name` of the component under test.
        settings: Settings for the tests, where the defaults will not do (paths, small sizes).
        files: Name → bytes of files that the settings name; written before each test that runs the component.
        optional_ports: Optional inputs that are filled all the same.
        exceptions: Name of a test → why this component need not pass it.
    """

    use: ClassVar[str] = ""
    settings: ClassVar[dict[str, Any]] = {}
    files: ClassVar[dict[str, bytes]] = {}
    optional_ports: ClassVar[tuple[str, ...]] = ()
    exceptions: ClassVar[dict[str, str]] = {}

    @pytest.fixture(autouse=True)
    def _declared_exceptions(self, request: pytest.FixtureRequest) -> None:
        reason = self.exceptions.get(request.node.originalname)
        if reason:
            pytest.skip(reason)

    @property
    def ref(self) -> ComponentRef:
        """The reference of the component under test."""
        return shared_registry().get(self.use)

    def component(self) -> Component:
        """Return the component with the settings of this test."""
        return component_from_json(shared_registry(), {"use": self.use, "with": self.settings})

    def inputs(self, folder: Path) -> dict[str, Artifact | list[Artifact]]:
        """Return a small artifact for every port that must be filled, and for `optional_ports`."""
        given: dict[str, Artifact | list[Artifact]] = {}
        for name, port in type(self.component()).inputs.items():
            if not port.optional or name in self.optional_ports:
                made = self.artifact(port.type, name, folder / name)
                given[name] = [made] if port.many else made
        return given

    def artifact(self, artifact_type: str, port: str, folder: Path) -> Artifact:
        """Return a small artifact of a type for a port; override for a component that needs something special."""
        if artifact_type == "tokenizer":
            return small_tokenizer(folder)
        if artifact_type == "tokens":
            return small_tokens(folder)
        if artifact_type == "model":
            return small_model(folder)
        if port == "data":
            return labelled_corpus(folder)
        return small_corpus(folder)

    def run(self, folder: Path, *, workers: int = 1) -> Artifact:
        """Run the component over small inputs."""
        self.write_files(folder / "run")
        return trial(self.component(), self.inputs(folder / "inputs"), folder / "run", workers=workers)

    def write_files(self, folder: Path) -> None:
        """Write the files that the settings name."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def test_is_described(self) -> None:
        """A component has a summary, and its class and settings are documented."""
        cls = shared_registry().load(self.use)
        assert self.ref.summary
        assert len(self.ref.summary) < 100  # noqa: PLR2004  # one line of a list
        assert inspect.getdoc(cls), f"{cls.__name__} has no docstring"
        assert cls.version >= 1

    def test_settings_are_frozen_and_known(self) -> None:
        """A setting cannot be changed later, and an unknown one is refused with its name."""
        component = self.component()
        for name in type(component).model_fields:
            with pytest.raises(ValidationError):
                setattr(component, name, getattr(component, name))
            break
        _, problems = build_component(shared_registry(), self.use, {**self.settings, "no_such_setting": 1}, ())
        assert any("no_such_setting" in problem.message for problem in problems)

    def test_settings_survive_json(self) -> None:
        """Settings written out and read back give an equal component, and stay plain JSON."""
        component = self.component()
        written = json.loads(json.dumps(settings_of(component)))
        again = component_from_json(shared_registry(), {"use": self.use, "with": written})
        assert settings_of(again) == settings_of(component)
        assert again == component

    def test_has_a_schema(self) -> None:
        """An editor can complete the settings: every one stands in the JSON Schema."""
        from workbench.pipeline.schema import json_schema

        text = json.dumps(json_schema(shared_registry()))
        assert self.use in text
        for name in type(self.component()).model_fields:
            assert f'"{name}"' in text

    def test_entry_module_is_light(self) -> None:
        """Finding the plugin imports nothing heavy; the component's own module waits until it is used."""
        target = self.ref.target.partition(":")[0]
        loaded = _loaded_by(f"import {target.rpartition('.')[0]}")
        assert [name for name in HEAVY if name in loaded] == []
        assert target not in loaded

    def test_checking_imports_no_torch(self) -> None:
        """Settings are validated without importing torch."""
        code = (
            "import json; from workbench.registry import shared_registry; "
            "from workbench.pipeline.settings import component_from_json; "
            f"component_from_json(shared_registry(), json.loads({json.dumps({'use': self.use, 'with': self.settings})!r}))"
        )
        assert "torch" not in _loaded_by(code)


@cache
def _loaded_by(code: str) -> frozenset[str]:
    """Return the modules that a fresh Python has loaded after running this code."""
    show = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.splitlines())


class StepConformance(Conformance):
    """Tests for components that run as a step and give an artifact."""

    def test_same_bytes_in_every_process(self, tmp_path: Path) -> None:
        """The result does not depend on the process or on the order of hashes, which differs here and there."""
        component, inputs = self.component(), self.inputs(tmp_path / "inputs")
        here, there = tmp_path / "here", tmp_path / "there"
        for folder in (here, there):
            self.write_files(folder)
        another = trial_in_process(component, inputs, there, hash_seed=another_hash_seed())
        assert digest_of(trial(component, inputs, here).path) == another

    def test_same_bytes_for_any_number_of_workers(self, tmp_path: Path) -> None:
        """One worker and two give the same bytes."""
        assert digest_of(self.run(tmp_path / "one").path) == digest_of(self.run(tmp_path / "two", workers=2).path)
