"""The page "Complexity": the fitted formula, the data that the page draws, and its text."""

import json
import re
from dataclasses import replace

import pytest

from jacchain.chains.planners import plan
from jacchain.harnesses.complexity import render_complexity, sweep_series
from jacchain.harnesses.grids_file import asv_cells
from jacchain.harnesses.readers import Timing

CALL, MULTIPLICATION = 5e-7, 2e-10


def timing(benchmark, value, order, *, numpy="2.4.6", commit="ab" * 20, machine="desk"):
    """A time that follows the formula exactly."""
    cost = plan(asv_cells()[benchmark, value][2], order).cost
    seconds = CALL * cost.products + MULTIPLICATION * cost.multiplications
    return Timing(
        machine=machine,
        commit=commit,
        date=1700000000000,
        env={"numpy": numpy},
        benchmark=benchmark,
        values=(value, order),
        median=seconds,
        interval=(seconds * 0.9, seconds * 1.1),
        samples=(seconds,),
        number=10,
    )


@pytest.fixture
def timings():
    return [
        timing(benchmark, value, order, numpy=numpy)
        for benchmark, value in asv_cells()
        for order in ("loss-first", "input-first")
        for numpy in ("2.4.6", "2.0.2")
    ]


def test_a_series_has_its_points_in_order_and_the_coefficients_that_made_them(timings):
    sweeps = sweep_series(reversed(timings))
    assert set(sweeps) == {"x", "z1", "z2", "z3", "all_z", "depth"}
    assert all(len(series) == 4 for series in sweeps.values())
    for series in sweeps["x"]:
        sizes = [size for size, *_ in series["points"]]
        assert sizes == sorted(sizes)
        assert series["call"] == pytest.approx(CALL)
        assert series["multiplication"] == pytest.approx(MULTIPLICATION)
        for (_, seconds, low, high), (_, fitted) in zip(
            series["points"], series["line"], strict=True
        ):
            assert low < fitted < high
            assert seconds == pytest.approx(fitted)


def test_two_pythons_are_kept_apart(timings):
    other = [replace(t, env=t.env | {"python": "3.12"}) for t in timings]
    sweeps = sweep_series([*timings, *other])
    assert len(sweeps["x"]) == 8
    assert {s["numpy"] for s in sweeps["x"]} >= {"2.4.6 on Python 3.12", "2.4.6 on Python unknown"}


def test_other_benchmarks_are_left_out(timings):
    other = replace(timings[0], benchmark="construction.OverX.time_chain", values=("4",))
    assert sweep_series([other, timings[0]]).keys() == {"x"}


def test_the_page_holds_its_data_and_links_into_the_pages_of_asv(timings):
    page = render_complexity(timings, project="jacchain")
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["sweeps"] == json.loads(json.dumps(sweep_series(timings)))
    link = (
        "index.html#evaluation.OverX.time_evaluate?x-axis=log2_x&amp;y-axis-scale=log&amp;p-order="
    )
    assert f'href="{link}' in page
    assert page.count('class="drawing"') == 6
    assert not re.search(r'(src|href)="https?:', page)


def test_text_from_results_cannot_end_the_script():
    first = timing("evaluation.OverX.time_evaluate", "4", "loss-first", machine="</script><b>")
    page = render_complexity([first], project="<i>")
    assert "</script><b>" not in page
    assert "<i>" not in page.split("</title>")[0]


def test_a_page_without_times_says_how_to_take_some():
    assert "make bench-quick" in render_complexity([], project="jacchain")
