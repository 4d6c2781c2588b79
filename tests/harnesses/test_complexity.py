"""The page "Complexity": the fitted formula, the data that the page draws, and its text."""

import json
import re
from dataclasses import replace

import pytest

from jacchain.harnesses.complexity import render_complexity, sweep_series
from jacchain.harnesses.readers import read_asv


@pytest.fixture(scope="module")
def timings(asv_results):
    return read_asv(asv_results)


def test_a_series_has_its_points_in_order_and_the_coefficients_that_made_them(timings):
    sweeps = sweep_series(reversed(timings))
    assert set(sweeps) == {"x", "z1", "z2", "z3", "all_z", "depth"}
    assert all(len(series) == 2 * 2 * 2 for series in sweeps.values())  # commits, numpys, orders
    for series in sweeps["x"]:
        sizes = [size for size, *_ in series["points"]]
        assert sizes == sorted(sizes)
        assert series["call"] is None  # these times take none, and don't identify it
        assert len(series["multiplications"]) == len(sizes)
        assert series["multiplication"] == pytest.approx(1e-9)
        for (_, seconds, low, high), (_, fitted) in zip(
            series["points"], series["line"], strict=True
        ):
            assert low < fitted < high
            assert seconds == pytest.approx(fitted)


def test_two_pythons_are_kept_apart(timings):
    newer = [replace(t, env=t.env | {"python": "3.12"}) for t in timings]
    nameless = [replace(t, env={"numpy": "2.10.0"}) for t in timings]
    names = {series["numpy"] for series in sweep_series([*timings, *newer, *nameless])["x"]}
    versions = {f"{numpy} on Python {v}" for numpy in ("2.4.6", "2.10.0") for v in ("3.11", "3.12")}
    assert names == {*versions, "2.10.0 on Python unknown"}


def test_other_benchmarks_are_left_out(timings):
    chain = replace(timings[0], benchmark="construction.OverX.time_chain", values=("4",))
    assert sweep_series([chain, timings[0]]).keys() == {"x"}


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


def test_text_from_results_cannot_end_the_script(timings):
    page = render_complexity([replace(timings[0], machine="</script><b>")], project="<i>")
    assert "</script><b>" not in page
    assert "<i>" not in page.split("</title>")[0]


def test_a_page_without_times_says_how_to_take_some():
    assert "make bench-quick" in render_complexity([], project="jacchain")
