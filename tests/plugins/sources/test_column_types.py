import polars as pl
import pytest
from workbench_plugins.sources.column_types import Columns, Misfit, common, type_of


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value, dtype",
    [
        (None, pl.Null()),
        (True, pl.Boolean()),
        (-(1 << 63), pl.Int64()),
        ([1, 2.5, None], pl.List(pl.Float64())),
        ([{"a": "x"}, {"b": 1}], pl.List(pl.Struct({"a": pl.String(), "b": pl.Int64()}))),
    ],
)
def test_a_value_has_the_type_that_holds_all_of_it(value, dtype):
    """Numbers widen, objects get the union of their fields."""
    assert type_of(value) == dtype


@pytest.mark.parametrize("value", [1 << 63, ["a", 1], {}, {"a": [{}]}, nested(33), nested(900)])
def test_what_no_column_can_hold_is_a_misfit(value):
    """Numbers over 64 bits, mixed lists, objects without fields, and more than 32 levels."""
    with pytest.raises(Misfit):
        type_of(value)


def test_true_is_no_number():
    """Python thinks it is; a column of labels does not."""
    with pytest.raises(Misfit):
        common(pl.Int64(), pl.Boolean())


def test_the_first_batch_settles_the_types():
    """Before, types widen; afterwards only what fits is taken, a null and a whole number in a float column too."""
    columns = Columns(("a", "b"))
    columns.fit([1, None])
    columns.fit([1.5, None])
    assert columns.settle() == {"a": pl.Float64(), "b": pl.Null()}
    columns.fit([2, "x"])
    columns.fit([None, None])
    with pytest.raises(Misfit, match="a: String beside Float64"):
        columns.fit(["x", "y"])
    assert columns.settle() == {"a": pl.Float64(), "b": pl.String()}


def test_a_settled_column_widens_no_more():
    """Whole numbers stay whole numbers: frames that were handed over cannot change their type."""
    columns = Columns(("a", "b"))
    columns.fit([1, [{"x": 1}]])
    columns.settle()
    for values in ([1.5, None], [1, [{"x": 1, "y": 2}]]):
        with pytest.raises(Misfit, match="where the first records had"):
            columns.fit(values)


def test_a_misfit_changes_nothing():
    """The first value of the same record does not settle its column either."""
    columns = Columns(("a", "b"))
    columns.fit([None, 1])
    with pytest.raises(Misfit):
        columns.fit(["x", "y"])
    assert columns.settle() == {"a": pl.Null(), "b": pl.Int64()}
