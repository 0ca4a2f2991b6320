"""The public faces are exact: nothing missing, nothing by accident."""

import subprocess
import sys

import workbench.api
import workbench.testing
from workbench.contracts.references import KINDS


def test_every_name_of_the_api_exists_and_is_documented():
    """A name that authors may import exists, and says what it is."""
    for name in workbench.api.__all__:
        value = getattr(workbench.api, name)
        if callable(value):
            assert (value.__doc__ or "").strip(), name


def test_api_lists_what_it_serves():
    """`__all__`, the table of homes and `dir` are one list."""
    homes = {name for names in workbench.api.HOME.values() for name in names}
    assert set(workbench.api.__all__) == homes == set(dir(workbench.api))


def test_the_contract_names_are_there():
    """The names that the architecture promises to plugin authors."""
    promised = (
        "Source RowFilter RewriteFilter CorpusFilter Tokenizer Architecture Objective Tuning Evaluator Exporter "
        "ComponentRef hookimpl Field Threshold Runtime Kernel BadRecord"
    )
    assert set(promised.split()) <= set(workbench.api.__all__)


def test_importing_the_api_is_light():
    """An entry module that needs ComponentRef and hookimpl imports nothing heavy."""
    heavy = ("pydantic", "polars", "torch", "transformers", "numpy", "pyarrow")
    code = (
        f"import sys; from workbench.api import ComponentRef, hookimpl; print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_there_is_a_kit_for_every_kind():
    """Every kind of component has its conformance class."""
    assert set(workbench.testing.KITS) == set(KINDS)
    for kind in KINDS:
        assert workbench.testing.kit_for(kind).__name__ == workbench.testing.KITS[kind]
