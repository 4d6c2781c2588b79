"""Pieces of a small run by hand, and the report parsed as a browser would."""

from html.parser import HTMLParser
from io import StringIO

import numpy as np
from rich.console import Console

from jacchain.analysis.evidence import BOTH, Evidence, Noise, Series
from jacchain.cost import Cost
from jacchain.experiments import show
from jacchain.records.schema import Identity, SessionRecord

HERE = Identity(
    machine="4f1c", numpy="2.1.0", blas="OpenBLAS 0.3", jacchain="0.1.0", dtype="float64", threads=1
)
NASTY_REASON = "too few <sizes> of z1"
NASTY = "<script>alert('cpu')</script> & co"
SIZES = np.array([4.0, 8, 16, 32, 64, 128])
STRETCHES = (
    show.Stretch("L2", np.arange(3), 1.02, 1.0, judged=True),
    show.Stretch("leaves the cache", np.arange(2, 5), 1.3, 1.0, judged=False),
)
NUMBERS = show.Table(
    "Times over |z1|",
    (show.Column("|z1|", "count"), show.Column("time", "seconds"), show.Column("in")),
    ((1024, 0.25, "L2"), (2048, None, "LLC")),
)


def session(**environment):
    return SessionRecord(
        identity=HERE,
        started="2025-01-01T00:00:00+00:00",
        profile="quick",
        claims=("C1", "C2"),
        seed=7,
        environment=environment,
    )


def swept(order="loss-first", rate=1e-6, stretches=STRETCHES):
    times = rate * SIZES * np.where(SIZES > 20, 1.5, 1.0)
    ends = np.column_stack([0.9 * times, 1.1 * times])
    return show.Swept(order, SIZES, times, ends, 10 * SIZES, stretches)


def curve(label="a curve", **changes):
    y = changes.pop("y", 1e-3 * SIZES)
    return show.Curve(label, SIZES[: len(y)], y, **({"look": "third", "marks": "filled"} | changes))


def panel(title="", **changes):
    axes = {"x": show.Axis("size (elements)", "bytes"), "y": show.Axis("time (s)", "seconds")}
    return show.Panel(title, **({"curves": (curve(),)} | axes | changes))


def series(cell, name, seconds, *, role="chain"):
    cost = Cost(products=1, multiplications=12, bytes=200, held_bytes=128, peak_bytes=24)
    times, flags = np.full((6, 1, 2), seconds), np.zeros((6, 1, 2), dtype=bool)
    return Series(cell, role, "", (1, 4, 3), name, cost, times, flags)


def evidence_of(*, loss=1e-3, inputs=3e-3):
    arms = zip(BOTH, (loss, inputs), strict=True)
    chain = tuple(series("chain 1x4x3", *arm) for arm in arms)
    control = (series("control", "loss-first", loss, role="control"),) * 2
    skipped = {"cell:too<big>": "would take 900 s, over the profile's 15 s"}
    return Evidence({"chain 1x4x3": chain, "control": control}, skipped=skipped, noise=Noise(0.05))


def printed(function, *arguments):
    """What a function prints, its words one space apart."""
    console = Console(width=200, file=StringIO())
    function(console, *arguments)
    return " ".join(console.file.getvalue().replace("│", " ").split())


class Page(HTMLParser):
    """Elements in order, with their attributes, and the text of all; each must be closed."""

    VOID = frozenset({"meta", "img", "link", "br", "hr", "input"})

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []
        self.words = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.text += " " if tag in {"td", "th", "caption"} else ""

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]
