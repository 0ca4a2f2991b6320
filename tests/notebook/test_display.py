"""What a notebook shows of a result, and of a run that goes on."""

from html.parser import HTMLParser

from workbench.notebook.display import Shown, as_html, as_text
from workbench.notebook.progress import RunProgress, watch
from workbench.showing import Grid, Image, Passage, View

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\x1b[31m\u202e",
    "</pre></details><iframe src=//x>",
]
ALLOWED = {"p", "b", "table", "tr", "th", "td", "details", "summary", "code", "pre"}


class Tags(HTMLParser):
    """Collects elements and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def hostile_view(text: str) -> View:
    grid = Grid(text, (text, "n"), [(text, "1")], (1,), (0.5,))
    return View(text, [(text, text)], [grid], [Passage(text, text)])


def test_html_is_static_and_escaped():
    """Whatever a corpus holds, the HTML has tables and text only: no script, no event, no address."""
    for attack in ATTACKS:
        html = as_html(hostile_view(attack))
        found = Tags(html)
        assert found.tags <= ALLOWED
        assert found.attributes <= {"align", "style"}
        assert not {"\x1b", "\u202e"} & set(html)


def test_text_does_not_act():
    """The plain text holds no control or bidi character."""
    for attack in ATTACKS:
        assert not {"\x1b", "\u202e"} & set(as_text(hostile_view(attack)))


def test_both_forms_are_given():
    """A result displays as HTML and as text, so that it survives without a kernel and without a browser."""
    view = View("clean", [("documents", "3")], [Grid("Ledger", ("what", "n"), [("kept", "3")], (1,), (1.0,))])
    bundle = Shown(view)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == "clean\ndocuments  3\n\nLedger\nwhat  n\nkept  3  ########################"
    number, bar = (f'<td align="{side}" style="text-align: {side}">' for side in ("right", "left"))
    assert f"{number}3</td>{bar}{'█' * 24}</td>" in bundle["text/html"]


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_is_drawn_at_most_four_times_a_second():
    """Of many events in one second four are drawn, and always the end of a step."""
    drawn: list[View] = []
    clock = Clock()
    progress = RunProgress(drawn.append, clock)
    progress({"event": "run-started", "run": "r1", "steps": ["raw", "clean"]})
    for number in range(100):
        clock.now = 1 + number / 100
        progress({"event": "step-progress", "step": "raw", "done": number, "total": 100, "unit": "shards"})
    assert len(drawn) == 1 + 4
    progress({"event": "step-finished", "step": "raw", "seconds": 2.0, "peak_bytes": 2**20, "path": "x"})
    assert len(drawn) == 6
    assert drawn[-1].grids[0].rows[0] == ("raw", "ran", "99 of 100 shards", "2.0 s", "1.0 MiB", "")
    assert drawn[-1].grids[0].rows[1][1] == "waiting"


def test_progress_tells_how_it_ended():
    """Failed and skipped steps say so in words, and the title how the run ended."""
    drawn: list[View] = []
    progress = RunProgress(drawn.append)
    progress({"event": "run-started", "run": "r1", "steps": ["raw", "clean"]})
    progress({"event": "step-failed", "step": "raw", "error": ["it broke", "  do: repair it"], "log": "x"})
    progress({"event": "step-skipped", "step": "clean", "because": "raw"})
    progress({"event": "run-finished", "status": "failed", "seconds": 1.0})
    rows = drawn[-1].grids[0].rows
    assert [(row[0], row[1]) for row in rows] == [("raw", "failed"), ("clean", "skipped")]
    assert "it broke" in rows[0][5]
    assert drawn[-1].title == "run r1  failed"


def test_without_a_notebook_there_are_lines(capsys):
    """Outside a notebook a run is told in plain lines."""
    watch()({"event": "step-cached", "step": "raw", "path": "x"})
    assert capsys.readouterr().out == "raw: cached\n"


def test_pictures_stand_in_the_notebook_and_in_words():
    """An image is a data address with its words; the plain form has the words alone."""
    view = View("card", images=[Image(b"<svg>", 'two "bars" <b>', "Lengths")])
    bundle = Shown(view)._repr_mimebundle_()
    assert 'src="data:image/svg+xml;base64,PHN2Zz4=" alt="two &quot;bars&quot; &lt;b&gt;"' in bundle["text/html"]
    assert bundle["text/plain"] == 'card\n\n[Lengths] two "bars" <b>'
