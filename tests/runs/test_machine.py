"""The file of a machine: what is refused, and the time that its law says."""

import json
import re
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from jacchain.analysis.ratios import formula_ratio
from jacchain.cost import Cost
from jacchain.experiments.cell import chain_cell
from jacchain.runs import machine as schema
from jacchain.runs.machine import (
    FOLDER,
    committed,
    committed_machine,
    find_machine,
    parse_machine,
    true_seconds,
)
from jacchain.runs.simulated import blank_series, tally
from tests.runs.machines import PLAIN, altered, machine

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "machines.rst").read_text("utf-8")
DIMS = (1, 64, 64, 64, 1024)
MACHINES = {name: committed_machine(name) for name in committed().entries}


def arms(dims=DIMS):
    return blank_series(chain_cell(dims), (1, 2, 2))


def times(dims=DIMS, **changes):
    """Seconds of both orders of a chain."""
    return np.array(true_seconds(machine(**changes), arms(dims)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 7}, "name is 7"),
        ({"colour": "red"}, "colour is 'red'"),
        ({"half": "both"}, "half is 'both'"),
        ({"caches__l2": 0}, "caches.l2 is 0"),
        ({"caches__l2": "2 MiB"}, "caches.l2 is '2 MiB'"),
        ({"law": {}}, "law.call_seconds: Field required"),
        ({"law__colour": 1}, "law.colour is 1"),
        ({"law__row_seconds": -1e-10}, "law.row_seconds is -1e-10: Input should be greater than 0"),
        ({"law__row_seconds": True}, "law.row_seconds is True"),
        ({"law__growth": [{"variable": "y"}]}, "law.growth.0.variable is 'y'"),
        ({"law__growth": [{"variable": "x", "form": "n^2"}]}, "law.growth.0.form is 'n^2'"),
        ({"law__growth": [{"variable": "x", "arm": "loss-frist"}]}, "arm is 'loss-frist'"),
        ({"law__cliffs": [{"at": 1, "factor": 0.0}]}, "law.cliffs.0.factor is 0.0"),
        ({"noise__family": "cauchy"}, "noise.family is 'cauchy': Input should be 'normal'"),
        ({"noise__scale": -0.1}, "noise.scale is -0.1"),
        ({"noise__scale": 0.3}, "scale is 0.3; expected at most 0.2"),
        ({"noise__correlation": 1.0}, "noise.correlation is 1.0"),
        ({"states": [{"factor": 2.0, "share": 0.6, "seconds": 1.0}] * 2}, "shares add up to 1.2"),
        ({"clock": {"resolution": 1.0}}, "clock.resolution is 1.0"),
        ({"drift": -1.0}, "drift is -1.0"),
        ({"profile": "slow"}, "profile is 'slow', which does not exist"),
        ({"claims": ["C99"]}, "claims is 'C99', which does not exist"),
        ({"claims": ["peers"]}, "claims is 'peers', which does not exist"),
        ({"claims": []}, "claims is []"),
        ({"wrong": [{"arm": "loss-first", "factor": 2.0}]}, "expected one of the two"),
        (
            {"wrong": [{"dims": [1, 64, 64, 64, 60], "arm": "loss-first", "factor": 2.0}]},
            "wrong.dims is '1x64x64x64x60', which does not exist; expected one such as ['1x64x64",
        ),
        (
            {"wrong": [{"cell": "chain 1x64x64x64", "arm": "loss-first", "factor": 2.0}]},
            "wrong.cell is 'chain 1x64x64x64', which does not exist; expected one such as ['chain",
        ),
        (
            {"wrong": [{"dims": list(DIMS), "arm": "optimal", "factor": 2.0}]},
            "wrong.arm is 'optimal', which does not exist; expected one such as ['input-first'",
        ),
        ({"bounds": [{"verdict": "holds"}]}, "bounds.0.verdict is 'holds'"),
        ({"bounds": [{"verdict": "agrees", "low": 2.0}]}, "bounds.0.low is 2.0"),
        ({"bounds": [{"verdict": "agrees", "low": 0.9, "high": 0.1}]}, "begins above its end"),
        ({"bounds": [{"verdict": "agrees", "claims": ["C4"]}]}, "bounds.claims is 'C4'"),
        ({"coverage": {"ratios": [0.97, 0.93]}}, "begins above its end"),
    ],
)
def test_what_can_not_be_is_refused_with_file_value_and_remedy(change, message):
    with pytest.raises(ValueError, match=r"here\.json: ") as error:
        parse_machine(json.dumps(altered(**change)).encode(), "here.json")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", [b"", b'{"name": "he', b"[1, 2]", b"\xff", b"[" * 10**5])
def test_what_is_no_machine_at_all_is_refused(text):
    with pytest.raises(ValueError, match=r"here\.json: .*copy a machine that 'jacchain simulate'"):
        parse_machine(text, "here.json")


def test_a_machine_is_found_by_its_name_or_its_file(tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(PLAIN))
    assert find_machine(str(tmp_path / "mine.json")) == machine()
    assert find_machine("too-noisy") is MACHINES["too-noisy"]
    with pytest.raises(ValueError, match="unknown machine 'mine'; the known ones are"):
        find_machine("mine")


def test_the_machines_that_come_along_are_named_as_their_files_and_fill_both_halves():
    assert {name: m.name for name, m in MACHINES.items()} == {name: name for name in MACHINES}
    assert len(MACHINES) >= 22
    halves = {
        half: [m for m in MACHINES.values() if m.half == half] for half in ("set", "held out")
    }
    assert abs(len(halves["set"]) - len(halves["held out"])) <= 5
    noises = [{m.noise.family: m.noise for m in several} for several in halves.values()]
    assert noises[0].keys() == noises[1].keys()
    assert {str(path) for path in committed().entries.values()} == {
        str(path) for path in FOLDER.iterdir()
    }


def test_time_is_that_of_calls_multiplications_and_bytes():
    loss, inputs = arms()
    expected = (
        3e-6 + 2e-10 * loss.cost.multiplications,
        3e-6 + 1e-10 * (inputs.cost.multiplications - 64 * 1024) + 2e-10 * 64 * 1024,
    )
    np.testing.assert_allclose(times(), expected)
    extra = times(law__byte_seconds=1e-11) - times()
    np.testing.assert_allclose(extra, [1e-11 * arm.cost.bytes for arm in (loss, inputs)])


def test_a_copy_is_as_fast_as_a_row_meets_a_matrix():
    law = machine().law
    copy = Cost(bytes=8000, held_bytes=8000)
    assert law.seconds((10, 100), "copyto", copy) == pytest.approx(1000 * 2e-10)


def growth(variable, sizes, dims, **fields):
    """How a factor on one chain's time grows over a size, arm by arm."""
    effect = {"variable": variable, "scale": 16.0} | fields
    pairs = [
        (
            times(dims(n), law__call_seconds=0.0),
            times(dims(n), law__call_seconds=0.0, law__growth=[effect]),
        )
        for n in sizes
    ]
    return np.array([grown / plain for plain, grown in pairs])


@pytest.mark.parametrize(
    ("variable", "dims"),
    [
        ("x", lambda n: (1, 8, 8, n)),
        ("z1", lambda n: (1, 8, 9, n, 64)),
        ("z2", lambda n: (1, 8, n, 9, 64)),
        ("z3", lambda n: (1, n, 8, 9, 64)),
        ("z", lambda n: (1, n, n, n, 64)),
        ("depth", lambda n: (1, *[8] * n, 8)),
    ],
)
def test_growth_over_each_size(variable, dims):
    factors = growth(variable, (4, 16, 64), dims, exponent=1.5)
    np.testing.assert_allclose(factors, [[0.5] * 2, [1] * 2, [2] * 2])


def test_growth_of_one_arm_or_one_kind_of_product():
    def dims(n):
        return 1, 8, 8, n

    one = growth("x", (64,), dims, exponent=1.5, arm="input-first")
    np.testing.assert_allclose(one, [[1, 2]])
    loss, inputs = growth("x", (64,), dims, exponent=1.5, products="row")[0]
    assert 1 < inputs < 1.5 < loss == pytest.approx(2)
    logs = growth("x", (4, 256), dims, form="n log n")
    np.testing.assert_allclose(logs, [[0.5] * 2, [2] * 2])


def test_a_cliff_rises_to_its_factor_where_the_working_set_leaves_the_cache():
    loss, _ = arms()
    heights = []
    for at in (loss.cost.working_set * 100, loss.cost.working_set, 1):
        cliff = {"at": at, "factor": 4.0, "arm": "loss-first"}
        changed = times(law__call_seconds=0.0, law__cliffs=[cliff])
        factors = changed / times(law__call_seconds=0.0)
        assert factors[1] == 1
        heights.append(factors[0])
    np.testing.assert_allclose(heights, [1, 2, 4], rtol=1e-6)


@pytest.mark.parametrize("place", [{"dims": list(DIMS)}, {"cell": chain_cell(DIMS).name}])
def test_a_wrong_arm_is_slower_in_its_cell_only(place):
    wrong = [{"arm": "loss-first", "factor": 3.0, **place}]
    np.testing.assert_allclose(times(wrong=wrong) / times(), [3, 1])
    dims = (1, 16, 16, 16, 1024)
    np.testing.assert_array_equal(times(dims, wrong=wrong), times(dims))
    other = times(wrong=[wrong[0] | {"of": "input-first", "factor": 2.0}])
    np.testing.assert_allclose(other, times()[1] * np.array([2, 1]))


def test_the_committed_machines_that_break_a_claim_do_so_in_truth():
    """By a quarter at the least, without any noise."""
    true = {name: times_over_x(MACHINES[name]) for name in ("grows-x-1.25", "obeys-normal")}
    steeper = true["grows-x-1.25"][:, 1] / true["obeys-normal"][:, 1]
    slopes = [np.log(b / a) / np.log(4) for a, b in pairwise(steeper)]
    np.testing.assert_allclose(slopes, 0.25, atol=0.01)


def times_over_x(described):
    cells = [chain_cell((1, 16, 32, 128, 4**k)) for k in (6, 7, 8)]
    return np.array([true_seconds(described, blank_series(c, (1, 2, 2))) for c in cells])


def test_one_cell_is_below_one_by_as_much_as_its_name_says():
    for share in (0.75, 0.85):
        described = MACHINES[f"one-cell-{share}"]
        pair = arms(described.wrong[0].dims)
        loss, inputs = true_seconds(described, pair)
        assert inputs / loss == pytest.approx(share, rel=1e-3)
        assert formula_ratio(*pair[::-1]) > 2


EXAMPLES = {
    "docs/machines.rst": r"code-block:: json\n\n((?:   [^\n]*\n)+)",
    "README.md": r"```json\n(.*?)```",
}


@pytest.mark.parametrize("page", EXAMPLES)
def test_the_example_of_the_documentation_runs(page):
    (block,) = re.findall(EXAMPLES[page], (ROOT / page).read_text("utf-8"), re.DOTALL)
    rates = tally(parse_machine(dedent(block).encode(), page), 3)
    assert {r.what: r.met for r in rates if r.bounded and r.what[0] == "C"} == {
        "C3 disagrees": True
    }


def test_the_documentation_names_every_field():
    classes = [value for value in vars(schema).values() if is_dataclass(value)]
    names = {
        field.name
        for kind in classes
        if kind.__module__ == schema.__name__
        for field in fields(kind)
    }
    assert [name for name in sorted(names) if not re.search(rf"[`\"]{name}[`\"]", PAGE)] == []
