"""The widget of `bench()`: one threshold at a time under the hand, the counts of all rules beside it.

Thresholds live in Python, as exact values; the slider moves over places in a list of values, so that nothing is rounded
on the way, and the text box takes any value. Everything can be reached by keyboard and is said in words.
"""

from __future__ import annotations

import base64
import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.files.text import safe_html
from workbench.notebook.display import as_html
from workbench.notebook.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.engine.corpus.thresholds import Value
    from workbench.notebook.bench import FilterBench

NUM_EXAMPLES = 3


class BenchWidget:
    """Builds the controls of one bench and keeps them in step with it.

    Args:
        bench: What is shown and moved.

    Attributes:
        box: The widget to display.
    """

    def __init__(self, bench: FilterBench) -> None:
        import ipywidgets as widgets

        self.bench = bench
        self._lock = threading.RLock()  # callbacks come from another thread while a cell runs
        self._quiet = False
        self._grid: list[Value] = []
        self._histograms: dict[str, Histogram | None] = {}
        wide = widgets.Layout(width="640px")
        self.status = widgets.HTML()
        self.choice = widgets.Dropdown(options=list(bench.thresholds), description="threshold", layout=wide)
        self.slider = widgets.IntSlider(readout=False, description="value", layout=wide)
        self.text = widgets.Text(description="exactly", continuous_update=False)
        self.picture, self.message, self.rules, self.shown = (widgets.HTML() for _ in range(4))
        self.rule = widgets.Dropdown(description="rule", layout=wide)
        self.axis = widgets.Text(
            description="group", placeholder="source, language, length, a column", continuous_update=False
        )
        self.examples, self.groups, self.yaml, self.apply, self.reset = (
            widgets.Button(description=label, layout=widgets.Layout(width="auto"))
            for label in ("examples", "drops by group", "YAML", "put into the pipeline", "reset")
        )
        self.box = widgets.VBox(
            [
                self.status, self.choice, self.picture, self.slider, self.text, self.message, self.rules, self.rule,
                widgets.HBox([self.examples, self.yaml, self.apply, self.reset]),
                widgets.HBox([self.axis, self.groups]), self.shown,
            ]
        )  # fmt: skip
        self._name_for_tests_and_styles()
        self._connect()
        self._choose()
        self._refresh()

    def _name_for_tests_and_styles(self) -> None:
        for name in ("status", "choice", "slider", "text", "rule", "examples", "groups", "yaml", "apply", "reset"):
            getattr(self, name).add_class(f"workbench-bench-{name}")

    def _connect(self) -> None:
        if self.bench.thresholds:
            self.choice.observe(self._guarded(lambda _: self._choose()), "value")
            self.slider.observe(self._guarded(lambda change: self._move(self._grid[change["new"]])), "value")
            self.text.observe(self._guarded(lambda change: self._move(parsed(change["new"]))), "value")
        self.examples.on_click(self._guarded(lambda _: self._show_examples()))
        self.groups.on_click(self._guarded(lambda _: self._show_groups()))
        self.yaml.on_click(self._guarded(lambda _: self._show_yaml()))
        self.apply.on_click(self._guarded(lambda _: self._apply()))
        self.reset.on_click(self._guarded(lambda _: self._reset()))

    def _guarded(self, action: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return the callback: one at a time, none for what the widget itself sets, errors shown as words."""

        def act(change: Any) -> None:
            with self._lock:
                if self._quiet:
                    return
                self._quiet = True
                try:
                    self.message.value = ""
                    action(change)
                except (WorkbenchError, ValueError) as error:
                    self.message.value = f'<span role="alert">{safe_html(str(error))}</span>'
                finally:
                    self._quiet = False

        return act

    def _choose(self) -> None:
        """Bring another threshold under the hand."""
        if self.choice.value is None:
            self.slider.disabled = self.text.disabled = True
            self.picture.value = "<p>this step has no thresholds</p>"
            return
        self._grid = self.bench.board.grid(self.choice.value) or [self.bench.thresholds[self.choice.value]]
        self.slider.max = len(self._grid) - 1
        self._follow()

    def _move(self, value: Value) -> None:
        self.bench.move(self.choice.value, value)
        self._follow()
        self._refresh()

    def _follow(self) -> None:
        """Set slider, text and picture to where the threshold stands."""
        value = self.bench.thresholds[self.choice.value]
        self.text.value = "" if value is None else repr(value)
        if value is not None:
            known = np.array([np.nan if other is None else other for other in self._grid], dtype=np.float64)
            self.slider.value = int(np.argmin(np.abs(known - value)))
        self.picture.value = self._picture(value)

    def _picture(self, value: Value) -> str:
        dial = self.bench.board.dials[self.choice.value]
        signal = dial.signal
        histogram = self._histogram(signal) if signal else None
        if histogram is None:
            return "<p>nothing was measured for it</p>"
        drawn = base64.b64encode(histogram.svg(value).encode()).decode("ascii")
        alt = f"histogram of {signal}, the threshold at {value}"
        return f'<p>{safe_html(dial.description)} ({safe_html(signal)})</p><img src="data:image/svg+xml;base64,{drawn}" alt="{safe_html(alt)}">'

    def _histogram(self, signal: str) -> Histogram | None:
        if signal not in self._histograms:
            values = self.bench.board.signals[signal].cast(pl.Float64).fill_null(np.nan)
            self._histograms[signal] = Histogram.of(values.to_numpy())
        return self._histograms[signal]

    def _refresh(self) -> None:
        """Say what the thresholds as they stand do."""
        view = self.bench.view
        self.status.value = f'<div role="status"><b>{safe_html(view.title)}</b></div>'
        view.title = "What each rule drops"
        self.rules.value = as_html(view)
        chosen = self.rule.value
        names = [f"{rule.filter}: {rule.reason}" for rule in self.bench.counts.rules if rule.drops]
        self.rule.options = names
        self.rule.value = chosen if chosen in names else (names[0] if names else None)

    def _show_examples(self) -> None:
        if self.rule.value is not None:
            shown = as_html(self.bench.examples(self.rule.value, NUM_EXAMPLES).view)
            self.shown.value = shown.replace("<details>", "<details open>")

    def _show_groups(self) -> None:
        self.shown.value = as_html(self.bench.by(self.axis.value or "source").view)

    def _show_yaml(self) -> None:
        self.shown.value = f"<pre>{safe_html(self.bench.to_steps())}</pre>"

    def _apply(self) -> None:
        self.bench.apply()
        self.message.value = safe_html(f"the step {self.bench.handle.step} has these thresholds now; it is not run yet")
        self._refresh()

    def _reset(self) -> None:
        self.bench.reset()
        self._choose()
        self._refresh()


def parsed(text: str) -> Value:
    """Return the number that a person wrote; nothing switches a threshold off. Raises `ValueError`."""
    text = text.strip()
    if not text or text == "None":
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise ValueError(f"{text!r} is no number")
    return value
