"""Recurrent layers, unrolled over a sequence: all steps share the parameters."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from jacchain.inputs import check_flag, check_sizes
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.networks.activations import as_activation
from jacchain.networks.arrays import Array, as_array, frozen
from jacchain.networks.layer import Layer, Visit

_sigmoid, _tanh = as_activation("sigmoid"), as_activation("tanh")
State = tuple[Array, ...]


class _RecurrentLayer(Layer):
    """Base class: `a_t = Wx x_t + Wh h_{t-1} + b` and `h_0 = 0`; the output is `h_T`, or all `h_t`.

    Inputs are flat, `(..., steps * i)`, step after step, and so are outputs. Each of the h elements
    of the state has `gates` rows in `Wx` and `Wh`, and `biases` preactivations a step. The state of
    a step is a tuple of arrays `(..., h)`, `h_t` first.
    """

    gates: int
    biases: int
    _state_arrays = 1

    def __init__(
        self,
        Wx: npt.ArrayLike,
        Wh: npt.ArrayLike,
        b: npt.ArrayLike,
        *,
        steps: int,
        sequence: bool = False,
    ) -> None:
        by_input = as_array(Wx, "Wx", (None, None))
        rows = len(by_input)
        if rows % self.gates:
            message = f"Wx has {rows} rows; expected {self.gates} for each state"
            raise ValueError(message)
        self.state_size = rows // self.gates
        by_state = as_array(Wh, "Wh", (rows, self.state_size))
        bias = as_array(b, "b", (self.biases * self.state_size,))
        try:
            (self.steps,) = check_sizes([steps])
        except ValueError:
            message = f"a sequence of {steps} steps; expected at least 1"
            raise ValueError(message) from None
        self.Wx, self.Wh, self.b = frozen(Wx=by_input, Wh=by_state, b=bias)
        check_flag(sequence, "sequence")
        self.dtype, self.sequence = bias.dtype, sequence
        self.input_size = self.steps * by_input.shape[1]
        self.output_size = self.state_size * (self.steps if sequence else 1)

    def __repr__(self) -> str:
        """Return the sizes."""
        size = self.Wx.shape[1]
        outputs = f"{self.steps} x {self.state_size}" if self.sequence else str(self.state_size)
        return f"{type(self).__name__}({self.steps} x {size} -> {outputs})"

    @property
    def parameters(self) -> dict[str, Array]:
        """`Wx`, `Wh` and `b` by these names."""
        return {"Wx": self.Wx, "Wh": self.Wh, "b": self.b}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer with other parameters; raises as the class does."""
        given = {name: parameters[name] for name in self.parameters}
        return type(self)(**given, steps=self.steps, sequence=self.sequence)

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return all preactivations, `(..., steps * biases * h)`, and the output."""
        a = self._driven(self._by_step(inputs)) + self.b
        states = [self._start(a)]
        for t in range(self.steps):
            a[..., t, self._state_rows] += states[-1][0] @ self.Wh.T
            states.append(self._next(a[..., t, :], states[-1]))
        return a.reshape(*inputs.shape[:-1], -1), self._output(states)

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `dz/dz_in`, dense, of shape `(output_size, input_size)`."""
        return DenseJacobian(self.vjp(np.eye(self.output_size, dtype=self.dtype), visit))

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, `(n, input_size)`, from the last step on."""
        return self._pull(self._deltas(adjoints, visit.preactivations))

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return Jacobian times each tangent, `(n, output_size)`, from the first step on."""
        a, states = self._by_step(visit.preactivations), self._states(visit.preactivations)
        deltas = self._driven(self._by_step(tangents))
        moved = [self._start(deltas)]
        for t in range(self.steps):
            deltas[..., t, self._state_rows] += moved[-1][0] @ self.Wh.T
            here = deltas[..., t, :], moved[-1], a[..., t, :]
            moved.append(self._next_tangents(*here, states[t], states[t + 1]))
        return self._output(moved)

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dz/dp` for each parameter, summed over steps, `(output_size, p.size)`."""
        deltas = self._deltas(np.eye(self.output_size, dtype=self.dtype), visit.preactivations)
        by_name = self._by_parameter(deltas, visit, ([1], [0]))
        return {name: DenseJacobian(sums.reshape(len(sums), -1)) for name, sums in by_name.items()}

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return parameter gradients, summed over steps and batch, and the input adjoints."""
        deltas = self._deltas(adjoints, visit.preactivations)
        return self._by_parameter(deltas, visit, ([0, 1], [0, 1])), self._pull(deltas)

    def _pull(self, deltas: Array) -> Array:
        """Return deltas `(n, steps, biases * h)` times `da/dz_in`: `(n, input_size)`."""
        return (deltas[..., self._input_rows] @ self.Wx).reshape(len(deltas), -1)

    def _by_parameter(
        self, deltas: Array, visit: Visit, axes: tuple[list[int], list[int]]
    ) -> dict[str, Array]:
        """Return deltas `(n, steps, biases * h)` times `da/dp` for each parameter p.

        Sums run over axes of `deltas`, and of `x` and `h_{t-1}` of every step, `(..., steps, k)`.
        """
        x, states = self._by_step(visit.inputs), self._states(visit.preactivations)[:-1]
        before = np.stack([state[0] for state in states], axis=-2)
        return {
            "Wx": np.tensordot(deltas[..., self._input_rows], x, axes),
            "Wh": np.tensordot(deltas[..., self._state_rows], before, axes),
            "b": deltas.sum(tuple(axes[0])),
        }

    @property
    def _input_rows(self) -> Any:
        """Which preactivations have the rows of `Wx`."""
        return slice(None)

    @property
    def _state_rows(self) -> Any:
        """Which preactivations have the rows of `Wh`."""
        return slice(None)

    def _driven(self, x: Array) -> Array:
        """Return `Wx x_t` of every step at its preactivations, `(..., steps, biases * h)`."""
        driven = np.zeros((*x.shape[:-1], self.b.size), np.result_type(x, self.dtype))
        driven[..., self._input_rows] = x @ self.Wx.T
        return driven

    def _output(self, states: list[State]) -> Array:
        """Return `h_T`, or all `h_t`, of the states before each step and after the last."""
        if not self.sequence:
            return states[-1][0]
        return np.concatenate([state[0] for state in states[1:]], axis=-1)

    def _by_step(self, flat: Array) -> Array:
        """Return an array `(..., steps * k)` as `(..., steps, k)`."""
        return flat.reshape(*flat.shape[:-1], self.steps, -1)

    def _start(self, driven: Array) -> State:
        """Return the state before the first step, given preactivations `(..., steps, k)`."""
        size = (*driven.shape[:-2], self.state_size)
        return tuple(np.zeros(size, driven.dtype) for _ in range(self._state_arrays))

    def _states(self, preactivations: Array) -> list[State]:
        """Return the state before each step, and after the last."""
        a = self._by_step(preactivations)
        states = [self._start(a)]
        for t in range(self.steps):
            states.append(self._next(a[..., t, :], states[-1]))
        return states

    def _deltas(self, adjoints: Array, preactivations: Array) -> Array:
        """Return adjoints `(n, output_size)` times `dz/da_t` of every step t.

        Of shape `(n, steps, biases * h)`.
        """
        a, states = self._by_step(preactivations), self._states(preactivations)
        rows = np.zeros((len(adjoints), self.steps, self.state_size), adjoints.dtype)
        rows[:, slice(None) if self.sequence else slice(-1, None)] = adjoints.reshape(
            len(adjoints), -1, self.state_size
        )
        deltas = np.empty((len(adjoints), *a.shape[-2:]), self.dtype)
        steps = reversed(range(self.steps))
        for t, step in zip(steps, self._backwards(rows, a, states), strict=True):
            deltas[:, t] = step
        return deltas

    @abstractmethod
    def _next(self, a: Array, state: State) -> State:
        """Return the state after a step with preactivations `a`, `(..., biases * h)`."""

    @abstractmethod
    def _next_tangents(
        self, deltas: Array, moved: State, a: Array, before: State, after: State
    ) -> State:
        """Return the state's tangents after a step.

        Takes the tangents `deltas` of `a`, `(n, biases * h)`, and `moved` of the state before the
        step, `a` itself, and the states before and after the step.
        """

    @abstractmethod
    def _backwards(self, rows: Array, a: Array, states: list[State]) -> Iterator[Array]:
        """Yield `dl/da_t`, `(n, biases * h)`, from the last step on.

        Takes what the loss has of each `h_t` directly, `(n, steps, h)`.
        """


class RecurrentLayer(_RecurrentLayer):
    """`h_t = tanh(Wx x_t + Wh h_{t-1} + b)`, unrolled over a sequence; the output is `h_T`.

    Parameters
    ----------
    Wx, Wh, b
        Arrays of shapes `(h, i)`, `(h, h)` and `(h,)` and one dtype; they are copied.
    steps
        Length T of the sequence; inputs are `(T i,)`, step after step.
    sequence
        Whether the output is every `h_t`, `(T h,)`, step after step, so that layers can be stacked.

    Raises
    ------
    TypeError, ValueError
        If an array is not real, not finite, or of another shape or dtype, or if there is no step.

    Examples
    --------
    >>> layer = RecurrentLayer([[1.0]], [[0.5]], [0.0], steps=2)
    >>> layer
    RecurrentLayer(2 x 1 -> 1)
    >>> layer.forward(np.array([0.0, 0.0]))[1]
    array([0.])
    >>> from jacchain.networks.layer import visit
    >>> layer.jacobian(visit(layer, np.zeros(2))).to_dense()
    array([[0.5, 1. ]])
    >>> stacked = RecurrentLayer([[1.0]], [[0.5]], [0.0], steps=2, sequence=True)
    >>> stacked.jacobian(visit(stacked, np.zeros(2))).to_dense()
    array([[1. , 0. ],
           [0.5, 1. ]])
    """

    gates = biases = 1

    def _next(self, a: Array, state: State) -> State:
        del state
        return (np.tanh(a),)

    def _next_tangents(
        self, deltas: Array, moved: State, a: Array, before: State, after: State
    ) -> State:
        del moved, before
        return (deltas * _tanh.derivative(a, after[0]),)

    def _backwards(self, rows: Array, a: Array, states: list[State]) -> Iterator[Array]:
        back = np.zeros_like(rows[:, 0])
        for t in reversed(range(self.steps)):
            slopes = _tanh.derivative(a[..., t, :], states[t + 1][0])
            deltas = (back + rows[:, t]) * slopes
            yield deltas
            back = deltas @ self.Wh


class GRULayer(_RecurrentLayer):
    """Gated recurrent unit, unrolled over a sequence; the output is `h_T`.

    Cho et al., 2014, arXiv:1406.1078, with the reset gate after the product, as PyTorch and cuDNN
    have it: `h_t = (1 - u) n + u h_{t-1}`, `n = tanh(a_n + r a_h)`, where `r` and `u` are sigmoids.
    `Wx` drives the preactivations of r, u and n, `Wh` those of r, u and h.

    Takes and raises what `RecurrentLayer` does; `Wx`, `Wh` and `b` are of shapes `(3 h, i)`,
    `(3 h, h)` and `(4 h,)`: b holds the biases of r, u, n and h, in this order.

    Examples
    --------
    >>> layer = GRULayer(np.zeros((3, 1)), np.zeros((3, 1)), [0.0, 0.0, 1.0, 0.0], steps=2)
    >>> layer
    GRULayer(2 x 1 -> 1)
    >>> layer.forward(np.ones(2))[1].round(3)  # (1 - 1/2^2) tanh(1)
    array([0.571])
    """

    gates, biases = 3, 4

    @property
    def _input_rows(self) -> Any:
        return slice(0, 3 * self.state_size)

    @property
    def _state_rows(self) -> Any:
        h = self.state_size
        return np.r_[: 2 * h, 3 * h : 4 * h]

    def _next(self, a: Array, state: State) -> State:
        _, u, kept, n, _ = self._gates(a)
        return (kept * n + u * state[0],)

    def _gates(self, a: Array) -> tuple[Array, Array, Array, Array, Array]:
        """Return r, u, 1 - u, n and the argument of its tanh, each `(..., h)`."""
        to_r, to_u, to_n, to_h = np.split(a, 4, axis=-1)
        r, u = _sigmoid.function(to_r), _sigmoid.function(to_u)
        inside = to_n + r * to_h
        return r, u, _sigmoid.function(-to_u), np.tanh(inside), inside

    def _slopes(self, a: Array, before: State) -> tuple[list[Array], Array]:
        """Return `dh_t/da_t` by r, u, n and h, and `dh_t/dh_{t-1}`: diagonals, `(..., h)`."""
        to_r, to_u, _, to_h = np.split(a, 4, axis=-1)
        r, u, kept, n, inside = self._gates(a)
        by_n = kept * _tanh.derivative(inside, n)
        by_r = by_n * to_h * _sigmoid.derivative(to_r, r)
        by_u = (before[0] - n) * _sigmoid.derivative(to_u, u)
        return [by_r, by_u, by_n, by_n * r], u

    def _next_tangents(
        self, deltas: Array, moved: State, a: Array, before: State, after: State
    ) -> State:
        del after
        slopes, kept = self._slopes(a, before)
        parts = zip(slopes, np.split(deltas, 4, axis=-1), strict=True)
        return (sum(slope * part for slope, part in parts) + kept * moved[0],)

    def _backwards(self, rows: Array, a: Array, states: list[State]) -> Iterator[Array]:
        back = np.zeros_like(rows[:, 0])
        for t in reversed(range(self.steps)):
            slopes, kept = self._slopes(a[..., t, :], states[t])
            back = back + rows[:, t]
            deltas = np.concatenate([back * slope for slope in slopes], axis=-1)
            yield deltas
            back = deltas[..., self._state_rows] @ self.Wh + back * kept


class LSTMLayer(_RecurrentLayer):
    """Long short-term memory, unrolled over a sequence; the output is `h_T`.

    Hochreiter and Schmidhuber, Neural Computation 9(8), 1997, with the forget gate of Gers et al.,
    2000: `c_t = f c_{t-1} + i g`, `h_t = o tanh(c_t)`, where `a_t` holds the preactivations of i,
    f, g and o, in this order; i, f and o are sigmoids, g is a tanh.

    Takes and raises what `RecurrentLayer` does; `Wx`, `Wh` and `b` are of shapes `(4 h, i)`,
    `(4 h, h)` and `(4 h,)`.

    Examples
    --------
    >>> layer = LSTMLayer(np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4), steps=3)
    >>> layer
    LSTMLayer(3 x 1 -> 1)
    >>> layer.forward(np.ones(3))[1]
    array([0.])
    """

    gates = biases = 4
    _state_arrays = 2

    def _next(self, a: Array, state: State) -> State:
        i, f, g, o = self._gates(a)
        c = f * state[1] + i * g
        return o * np.tanh(c), c

    def _gates(self, a: Array) -> tuple[Array, Array, Array, Array]:
        """Return i, f, g and o, each `(..., h)`, from preactivations `(..., 4 h)`."""
        i, f, g, o = np.split(a, 4, axis=-1)
        return _sigmoid.function(i), _sigmoid.function(f), np.tanh(g), _sigmoid.function(o)

    def _slopes(
        self, a: Array, before: State, after: State
    ) -> tuple[tuple[Array, Array, Array], Array, Array, Array]:
        """Return `dc_t/da_t` by i, f and g; `dc_t/dc_{t-1}`; `dh_t/dc_t`; `dh_t/da_t` by o.

        All are diagonals, `(..., h)`.
        """
        i, f, g, o = gates = self._gates(a)
        kinds = (_sigmoid, _sigmoid, _tanh, _sigmoid)
        by_a = zip(kinds, np.split(a, 4, axis=-1), gates, strict=True)
        by_i, by_f, by_g, by_o = (kind.derivative(part, z) for kind, part, z in by_a)
        squashed = np.tanh(after[1])
        into_cell = g * by_i, before[1] * by_f, i * by_g
        return into_cell, f, o * _tanh.derivative(after[1], squashed), squashed * by_o

    def _next_tangents(
        self, deltas: Array, moved: State, a: Array, before: State, after: State
    ) -> State:
        into_cell, kept, out_of_cell, by_o = self._slopes(a, before, after)
        *gates, output = np.split(deltas, 4, axis=-1)
        added = sum(slope * gate for slope, gate in zip(into_cell, gates, strict=True))
        cell = kept * moved[1] + added
        return out_of_cell * cell + by_o * output, cell

    def _backwards(self, rows: Array, a: Array, states: list[State]) -> Iterator[Array]:
        back = np.zeros_like(rows[:, 0])
        by_cell = back  # dl/dc_t
        for t in reversed(range(self.steps)):
            into_cell, kept, out_of_cell, by_o = self._slopes(a[..., t, :], *states[t : t + 2])
            back = back + rows[:, t]
            by_cell = by_cell + back * out_of_cell
            gates = [by_cell * slope for slope in into_cell]
            deltas = np.concatenate([*gates, back * by_o], axis=-1)
            yield deltas
            back, by_cell = deltas @ self.Wh, by_cell * kept
