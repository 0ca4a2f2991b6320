"""What goes with what, said when a pipeline is checked: objectives, model families, heads, data."""

from __future__ import annotations

from workbench.contracts.component import Component
from workbench.contracts.model import Family, Mismatch, Objective, Tuning

WITH_ITS_OWN_HEAD = ("sequence-classification",)  # heads that are put fresh on any trained model


def takes(objective: Objective, data: str) -> Mismatch | None:
    """Return the mismatch when the objective works on the other kind of data (`tokens` or `records`)."""
    if objective.data == data:
        return None
    has, wants = _about(data), _about(objective.data)
    return Mismatch(
        ("objective",),
        f"{objective.component_id} works on {wants}, but the input is {has}",
        "objective",
        lambda cls: getattr(cls, "data", None) == data,
    )


def objective_fits(objective: Objective, family: str, owner: str) -> Mismatch | None:
    """Return the mismatch when the objective is not for models of this family."""
    return _family(objective, "objective", objective.families, family, owner)


def tuning_fits(tuning: Tuning, family: str, owner: str) -> Mismatch | None:
    """Return the mismatch when the tuning method is not for models of this family."""
    return _family(tuning, "tuning", tuning.families, family, owner)


def head_fits(objective: Objective, head: str, owner: str) -> Mismatch | None:
    """Return the mismatch when the objective needs a head that the model does not have and that cannot start fresh."""
    if objective.head == head or objective.head in WITH_ITS_OWN_HEAD:
        return None
    return Mismatch(
        ("objective",),
        f"{objective.component_id} needs a {objective.head} head, but {owner} has a {head} head",
        "objective",
        lambda cls: getattr(cls, "head", None) in (head, *WITH_ITS_OWN_HEAD),
    )


def _family(
    component: Component, setting: str, families: tuple[Family, ...], family: str, owner: str
) -> Mismatch | None:
    if family in families:
        return None
    return Mismatch(
        (setting,),
        f"{component.component_id} is for {' or '.join(families)} models, but {owner} is of family {family}",
        setting,
        lambda cls: family in getattr(cls, "families", ()),
    )


def _about(data: str) -> str:
    return "packed tokens" if data == "tokens" else "records (a corpus)"
