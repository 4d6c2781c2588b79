"""Every public name called with bad values: a right result, or an error that names the value."""

import dis
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import jacchain as jc
from jacchain.chains import evaluate, planners
from jacchain.experiments import measurement
from jacchain.networks import training
from jacchain.records.errors import RecordsError
from jacchain.report import publish, session
from jacchain.runs.job import RunError
from tests.faults.calls import BAD_ARRAYS, BAD_VALUES, CALLS, FORMS, UNFIT_ARRAYS, ignore

REFUSALS = (ValueError, TypeError, KeyError, MemoryError, RecordsError, RunError)
CALLS_IN_ALL = 20_000
EXAMPLES = CALLS_IN_ALL // sum(map(len, CALLS.values())) + 1
EVERY_CALL = pytest.mark.parametrize(
    "call",
    [
        pytest.param(call, id=f"{name} {number}")
        for name, calls in CALLS.items()
        for number, call in enumerate(calls)
    ],
)

bad_values = st.one_of(
    st.sampled_from(range(len(BAD_VALUES))).map(BAD_VALUES.__getitem__),
    st.sampled_from(range(len(BAD_ARRAYS))).map(BAD_ARRAYS.__getitem__),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.one_of(st.integers(-2, 5), st.floats(-2, 5), st.none()), max_size=4),
    st.tuples(st.integers(-2, 6), st.integers(-2, 6)),
)


@st.composite
def spoilt(draw, call):
    """Return the call with one or two of its arguments replaced."""
    places = [*range(len(call.args)), *call.options]
    chosen = draw(st.lists(st.sampled_from(places), min_size=1, max_size=2, unique=True))
    return call.with_values({place: draw(bad_values) for place in chosen})


def was_raised_on_purpose(error):
    """Whether the innermost frame is ours, and stands at a raise statement."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    operations = {i.offset: i.opname for i in dis.get_instructions(code)}
    ours = "jacchain" in code.co_filename
    return ours and operations[trace.tb_lasti] in {"RAISE_VARARGS", "RERAISE"}


@pytest.fixture(scope="module", autouse=True)
def nothing_long():
    """A million epochs are no bad value, and hypothesis finds that number in the code.

    Runs and figures are asked for, and not made.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "MOST_EPOCHS", 100)
        patch.setattr(measurement, "MOST_BLOCKS", 6)
        patch.setattr(session, "measure", ignore)
        patch.setattr(session, "publish", ignore)
        patch.setattr(publish, "_figures", ignore)
        patch.setattr(publish, "_shown", ignore)
        patch.setattr(publish, "write_figures", ignore)
        yield


@contextmanager
def kept_registries():
    """Forget the engines and planners that a call registers."""
    registries = [evaluate._ENGINES.entries, planners._PLANNERS.entries]
    before = [dict(entries) for entries in registries]
    try:
        yield
    finally:
        for entries, earlier in zip(registries, before, strict=True):
            entries.clear()
            entries.update(earlier)


def test_every_public_name_is_called():
    modules = {"": jc, "networks.": jc.networks, "jacobians.": jc.jacobians}
    functions = {
        getattr(module, name): prefix + name
        for prefix, module in modules.items()
        for name in module.__all__
        if callable(getattr(module, name)) and name != "Jacobian"  # which is abstract
    }
    called = {call.function for calls in CALLS.values() for call in calls}
    assert called == set(functions)


@EVERY_CALL
@pytest.mark.usefixtures("bounded_memory")
def test_bad_values_are_refused_with_a_word(call, faults_seed):
    with kept_registries():
        call()

    @seed(faults_seed)
    @given(spoilt(call))
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    def check(bad):
        try:
            with kept_registries():
                bad()
        except REFUSALS as error:
            refusal = error
        else:
            return
        assert 0 < len(str(refusal)) < 1000
        assert isinstance(refusal, MemoryError) or was_raised_on_purpose(refusal), repr(refusal)

    check()


def array_places(call):
    values = call.values()
    return [p for p, value in values if isinstance(value, np.ndarray) and p != "out"]


@EVERY_CALL
def test_what_is_no_array_of_numbers_is_refused(call):
    for place in array_places(call):
        for value in UNFIT_ARRAYS:
            with pytest.raises((ValueError, TypeError)):
                call.with_values({place: value})()


def numbers(result):
    """Return the arrays in a result."""
    if isinstance(result, np.ndarray | float):
        return [np.asarray(result)]
    if isinstance(result, dict):
        return [array for value in result.values() for array in numbers(value)]
    if isinstance(result, tuple):
        return [array for value in result for array in numbers(value)]
    if isinstance(result, jc.Chain):
        return numbers(jc.evaluate(result))
    if isinstance(result, jc.jacobians.Jacobian):
        return numbers(result.to_dense())
    return numbers(getattr(result, "parameters", {}))


@EVERY_CALL
@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_an_array_changes_nothing(call, form):
    for place in array_places(call):
        array = np.arange(1.0, 1 + np.size(dict(call.values())[place]))
        array = array.reshape(np.shape(dict(call.values())[place]))
        plain, other = (call.with_values({place: a})() for a in (array, FORMS[form](array)))
        for one, another in zip(numbers(plain), numbers(other), strict=True):
            np.testing.assert_array_equal(one, another)
