"""Figures and tables of the studies, from simulated comparisons."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Series
from jacchain.experiments import study_construction, study_peers
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import QUICK
from jacchain.report.construction import construction_table
from jacchain.report.figures import draw
from jacchain.report.peers import pairs, peers_table
from jacchain.report.style import house_style


def simulated(name, first, second, orders=("a", "b")):
    shape = (1, 12, 2)
    return tuple(
        Series(f"comparison:{name}", "comparison", "numpy", (1, 2), order, arm, 1, 10, 0, 20, 8, 8,
               np.full(shape, time), np.zeros(shape, bool))
        for arm, order, time in zip("AB", orders, (first, second), strict=True)
    )  # fmt: skip


@pytest.fixture
def constructed():
    """Building takes 8 ms and each vector 1 ms; without it each vector takes 2 ms."""
    found = {}
    for network in study_construction.NETWORKS:
        for form in study_construction.forms(network, QUICK):
            for mode in study_construction.MODES:
                for k in study_construction.counts(QUICK):
                    name = study_construction.name(network, mode, form, k)
                    found[name] = simulated(name, 1e-3 * (8 + k), 2e-3 * k)
            name = study_construction.name(network, "vjp", f"{form}, building", 1)
            found[name] = simulated(name, 9e-3, 1e-3)
    return found


@pytest.fixture
def framed():
    """Every peer takes twice as long as ours, and the last one half."""
    names = [of.name for of in study_peers.comparisons(QUICK)]
    found = {name: simulated(name, 1e-3, 2e-3, ("jacchain", name.rsplit(", ", 1)[1]))
             for name in names}  # fmt: skip
    found[names[-1]] = simulated(names[-1], 1e-3, 5e-4, ("jacchain", names[-1].rsplit(", ", 1)[1]))
    return found


def assessed(assessment, claim, comparisons, checks=None):
    evidence = Evidence(series={}, comparisons=comparisons, checks=checks or {})
    return replace(assessment, evidence=evidence, experiments=(experiments()[claim],))


def figure(claim, found):
    with house_style():
        page = draw(experiments()[claim].figures[0], found)
        page.draw_without_rendering()
    return page


def test_building_is_drawn_with_the_place_from_which_it_pays(assessment, constructed):
    page = figure("construction", assessed(assessment, "construction", constructed))
    for axes in page.axes:
        places = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]
        assert places
        assert places == pytest.approx([8] * len(places), rel=0.35)  # between 1 and 16, on logs


def test_the_table_says_when_building_pays(assessment, constructed):
    rows = {row[0]: row for row in
            construction_table(assessed(assessment, "construction", constructed)).rows}  # fmt: skip
    assert rows["lenet-300-100, explicit, dense"][1:4] == ("9 ms", "1 ms", "10 vectors")
    assert "not measured" in rows["lenet-5, explicit, dense"]
    assert rows["lenet-5, matrix-free"][1:3] == ("none built", "2 ms")


def test_what_never_pays_is_said_so(assessment, constructed):
    slow = {name: (a, replace(b, seconds=b.seconds / 100)) for name, (a, b) in constructed.items()}
    table = construction_table(assessed(assessment, "construction", slow))
    assert any("not up to 256" in row[3] for row in table.rows)


def test_each_framework_has_its_ratio(assessment, framed):
    found = assessed(assessment, "peers", framed, {study_peers.COMPILE: {}})
    ratios = [span[1] for _, _, span in pairs(found)]
    assert ratios == pytest.approx([2.0] * (len(framed) - 1) + [0.5])
    assert len(peers_table(found).rows) == len(framed)
    page = figure("peers", found)
    labels = [label.get_text() for label in page.axes[0].get_yticklabels()]
    assert "784-512-256-10, batch of 1\njax.grad" in labels


@pytest.mark.parametrize("claim", ["construction", "peers"])
def test_nothing_measured_is_drawn_without_a_warning(assessment, claim):
    found = assessed(assessment, claim, {})
    figure(claim, found)
    assert peers_table(found).rows == ()
