"""A new claim is one file: what it measures, judges, finds and shows reaches the report."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import jacchain

NEW = '''
"""C99: to add numbers twice takes longer than to add them once."""

import numpy as np

from jacchain.cost import Cost
from jacchain.experiments.cell import Arm, Cell, chain_cell
from jacchain.experiments.experiment import Check, Experiment, Finding
from jacchain.experiments.parts import gain_part
from jacchain.experiments.show import Axis, Column, Curve, Lines, Panel, Table
from jacchain.analysis.verdicts import Statement, exact

NAME = "C99 sums"
CHAIN = chain_cell((1, 4, 3, 2))
SIZE = 100_000


def _arms(dtype, seed):
    numbers = np.random.default_rng(seed).uniform(1, 2, SIZE).astype(dtype)
    once = Cost(products=1, multiplications=SIZE, bytes=numbers.nbytes, held_bytes=numbers.nbytes)
    return (
        Arm("twice", 2 * once, lambda: lambda: (numbers.sum() + numbers.sum()) / 2),
        Arm("once", once, lambda: numbers.sum),
    )


def _judge(evidence, sizes):
    counted = evidence.checks.get("C99:counts", {})
    parts = tuple(exact(name, *pair) for name, pair in counted.items())
    return [
        Statement("Terms are counted.", parts),
        Statement("Twice takes longer.", (gain_part(evidence, NAME),)),
    ]


def _findings(evidence, sizes):
    return [Finding("Sums were seen.", "They were asked for.", "Without them, none.", True)]


def _shows(evidence, sizes):
    numbers = Table("Numbers behind the sums", (Column("arm"), Column("time", "seconds")), tuple(
        (series.name, series.time) for series in evidence.cells.get(NAME, ())
    ))
    curve = Curve("a straight line", np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    panel = Panel("", Axis("terms"), Axis("sums"), (curve,))
    return [
        Lines("sums_of_numbers", "Sums drawn", "Sums over terms.", ((panel,),), numbers=numbers),
        Table("A table by itself", (Column("quantity", "count"),), ((12345,),)),
    ]


EXPERIMENT = Experiment(
    "C99",
    "Sums of numbers",
    "To add numbers twice takes longer than to add them once.",
    cells=lambda sizes: [CHAIN, Cell(NAME, (1, SIZE), _arms)],
    judge=_judge,
    checks={"C99:counts": Check(lambda seed: {"terms": (5, 5)}, dict[str, tuple[int, int]])},
    findings=_findings,
    shows=_shows,
    beside=(),
)
'''


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of a copy of the package, with one more file in it."""
    folder = tmp_path_factory.mktemp("copy")
    source = Path(jacchain.__file__).parent
    shutil.copytree(source, folder / "jacchain", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "jacchain" / "claims" / "c99_sums_of_numbers.py").write_text(NEW)
    command = [sys.executable, "-m", "jacchain", "run", "--claims", "C99", "--out", "results"]
    environ = os.environ | {"PYTHONPATH": str(folder)}
    child = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False)
    assert child.returncode == 0, child.stderr.decode()
    return folder / "results"


def test_the_verdict_is_stored(run):
    verdicts = json.loads((run / "verdicts.json").read_text())
    (verdict,) = (v for v in verdicts if v["claim"] == "C99")
    assert verdict["verdict"] in (run / "report.html").read_text()
    (counted,), (timed,) = (statement["parts"] for statement in verdict["statements"])
    assert (counted["name"], counted["verdict"]) == ("terms", "agrees")
    assert (timed["name"], timed["unit"]) == ("time ratio, C99 sums", "twice / once")


def test_every_cell_and_check_is_on_record(run):
    lines = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    assert {r["cell"] for r in lines if r["kind"] == "cell"} == {"chain 1x4x3x2", "C99 sums"}
    assert {r["check"] for r in lines if r["kind"] == "check"} == {"C99:counts"}


def test_what_it_says_is_in_the_report(run):
    report = (run / "report.html").read_text()
    for text in (
        *("Sums of numbers", "To add numbers twice takes longer than to add them once."),
        *("Sums were seen.", "They were asked for.", "Sums drawn", "Numbers behind the sums"),
        *("A table by itself", "12,345"),
    ):
        assert text in report


def test_its_figure_is_a_file(run):
    assert {p.stem for p in (run / "figures").iterdir()} == {"sums_of_numbers"}
