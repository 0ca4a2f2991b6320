"""Running exporters."""

from typing import ClassVar

import pytest

from workbench.api import Context, Exporter
from workbench.engine.exporting import run
from workbench.errors import PluginError


class Idle(Exporter):
    """Write nothing."""

    component_id: ClassVar[str] = "exporter/idle"

    def export(self, artifact, path, ctx):
        (path / "empty").mkdir()


def test_an_export_without_a_file_is_refused(tmp_path):
    """Folders alone are no result."""
    ctx = Context("export", "exporter/idle", 1, tmp_path, tmp_path, tmp_path, tmp_path, {"model": object()})
    with pytest.raises(PluginError, match="it wrote no file"):
        run(Idle(), ctx)
