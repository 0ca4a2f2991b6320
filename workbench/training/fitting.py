"""What goes with what, said when a pipeline is checked: objectives, model families, heads, data."""

from __future__ import annotations

from workbench.contracts.component import Component
from workbench.contracts.model import AnyArchitecture, AnyObjective, Family, Mismatch, Tuning
from workbench.contracts.static import StaticArchitecture

# Heads that are put fresh on any body; "body" is none at all.
WITH_ITS_OWN_HEAD = ("sequence-classification", "token-classification", "body")


def takes(objective: AnyObjective, data: str) -> Mismatch | None:
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


def objective_fits(objective: AnyObjective, family: str, owner: str) -> Mismatch | None:
    """Return the mismatch when the objective is not for models of this family."""
    parts = getattr(objective, "members", (objective,))
    found = (_family(part, "objective", part.families, family, owner) for part in parts)
    return next((mismatch for mismatch in found if mismatch), None)


def tuning_fits(tuning: Tuning, family: str, owner: str) -> Mismatch | None:
    """Return the mismatch when the tuning method is not for models of this family."""
    return _family(tuning, "tuning", tuning.families, family, owner)


def head_fits(objective: AnyObjective, head: str, owner: str, more: tuple[str, ...] = ()) -> Mismatch | None:
    """Return the mismatch when the objective needs a head that the model does not have and that cannot start fresh.

    `more` are heads that can start fresh on this model in particular.
    """
    suiting = (head, *more, *WITH_ITS_OWN_HEAD)
    if objective.head in suiting:
        return None
    return Mismatch(
        ("objective",),
        f"{objective.component_id} needs a {objective.head} head, but {owner} has a {head} head",
        "objective",
        lambda cls: getattr(cls, "head", None) in suiting,
    )


def objective_given(architecture: AnyArchitecture, objective: AnyObjective | None) -> Mismatch | None:
    """Return the mismatch when an objective is missing where one is needed, or given where there is none to choose."""
    owner = str(architecture.component_id)
    is_wanted = not isinstance(architecture, StaticArchitecture) or architecture.takes_objective
    if is_wanted == (objective is not None):
        return None
    if objective is not None:
        return Mismatch(
            ("objective",), f"{owner} learns in one way only and takes no objective; leave out {objective.component_id}"
        )
    family, head = architecture.family, architecture.head
    return Mismatch(
        ("architecture",),
        f"{owner} needs an objective",
        "objective",
        lambda cls: (
            family in getattr(cls, "families", ())
            and getattr(cls, "data", None) == "tokens"
            and getattr(cls, "head", None) == head
        ),
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
