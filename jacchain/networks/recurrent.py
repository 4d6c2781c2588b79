"""Recurrent layers, unrolled over a sequence: all steps share the parameters."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.structure import check_sizes
from jacchain.networks.activations import as_activation
from jacchain.networks.arrays import Array, as_array, frozen
from jacchain.networks.layer import Layer, Visit

_sigmoid = as_activation("sigmoid").function
State = tuple[Array, ...]


class _RecurrentLayer(Layer):
    """Base class: `a_t = Wx x_t + Wh h_{t-1} + b`, `h_0 = 0`, and the output is `h_T`.

    Inputs are flat, `(..., steps * i)`, step after step. Each of the h elements of the state has
    `gates` preactivations a step. The state of a step is a tuple of arrays `(..., h)`, `h_t` first.
    """

    gates: int
    _state_arrays = 1

    def __init__(
        self, Wx: npt.ArrayLike, Wh: npt.ArrayLike, b: npt.ArrayLike, *, steps: int
    ) -> None:
        by_input = as_array(Wx, "Wx", (None, None))
        rows = len(by_input)
        if rows % self.gates:
            message = f"Wx has {rows} rows; expected {self.gates} for each state"
            raise ValueError(message)
        by_state = as_array(Wh, "Wh", (rows, rows // self.gates))
        bias = as_array(b, "b", (rows,))
        try:
            (self.steps,) = check_sizes([steps])
        except ValueError:
            message = f"a sequence of {steps} steps; expected at least 1"
            raise ValueError(message) from None
        self.Wx, self.Wh, self.b = frozen(Wx=by_input, Wh=by_state, b=bias)
        self.dtype, self.output_size = bias.dtype, rows // self.gates
        self.input_size = self.steps * by_input.shape[1]

    def __repr__(self) -> str:
        """Return the sizes."""
        size = self.Wx.shape[1]
        return f"{type(self).__name__}({self.steps} x {size} -> {self.output_size})"

    @property
    def parameters(self) -> dict[str, Array]:
        """`Wx`, `Wh` and `b` by these names."""
        return {"Wx": self.Wx, "Wh": self.Wh, "b": self.b}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer with other parameters; raises as the class does."""
        return type(self)(**{name: parameters[name] for name in self.parameters}, steps=self.steps)

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return all preactivations, `(..., steps * gates * h)`, and `h_T`, `(..., h)`."""
        driven = self._by_step(inputs) @ self.Wx.T + self.b
        a = np.empty_like(driven)
        state = self._start(driven)
        for t in range(self.steps):
            a[..., t, :] = driven[..., t, :] + state[0] @ self.Wh.T
            state = self._next(a[..., t, :], state)
        return a.reshape(*inputs.shape[:-1], -1), state[0]

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `dh_T/dz_in`, dense, of shape `(output_size, input_size)`."""
        return DenseJacobian(self.vjp(np.eye(self.output_size, dtype=self.dtype), visit))

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, `(n, input_size)`, from the last step on."""
        deltas = self._deltas(adjoints, visit.preactivations)
        return (deltas @ self.Wx).reshape(len(adjoints), -1)

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return Jacobian times each tangent, `(n, output_size)`, from the first step on."""
        a, states = self._by_step(visit.preactivations), self._states(visit.preactivations)
        driven = self._by_step(tangents) @ self.Wx.T
        moved = self._start(driven)
        for t in range(self.steps):
            deltas = driven[..., t, :] + moved[0] @ self.Wh.T
            moved = self._next_tangents(deltas, moved, a[..., t, :], *states[t : t + 2])
        return moved[0]

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dh_T/dp` for each parameter, summed over steps, `(output_size, p.size)`."""
        deltas = self._deltas(np.eye(self.output_size, dtype=self.dtype), visit.preactivations)
        by_name = self._by_parameter(deltas, visit, ([1], [0]))
        return {name: DenseJacobian(sums.reshape(len(sums), -1)) for name, sums in by_name.items()}

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return parameter gradients, summed over steps and batch, and the input adjoints."""
        deltas = self._deltas(adjoints, visit.preactivations)
        back = (deltas @ self.Wx).reshape(visit.inputs.shape)
        return self._by_parameter(deltas, visit, ([0, 1], [0, 1])), back

    def _by_parameter(
        self, deltas: Array, visit: Visit, axes: tuple[list[int], list[int]]
    ) -> dict[str, Array]:
        """Return deltas `(n, steps, gates * h)` times `da/dp` for each parameter p.

        Sums run over axes of `deltas`, and of `x` and `h_{t-1}` of every step, `(..., steps, k)`.
        """
        x, states = self._by_step(visit.inputs), self._states(visit.preactivations)[:-1]
        before = np.stack([state[0] for state in states], axis=-2)
        by_array = (np.tensordot(deltas, array, axes) for array in (x, before))
        return dict(zip(self.parameters, (*by_array, deltas.sum(tuple(axes[0]))), strict=True))

    def _by_step(self, flat: Array) -> Array:
        """Return an array `(..., steps * k)` as `(..., steps, k)`."""
        return flat.reshape(*flat.shape[:-1], self.steps, -1)

    def _start(self, driven: Array) -> State:
        """Return the state before the first step, given preactivations `(..., steps, k)`."""
        size = (*driven.shape[:-2], self.output_size)
        return tuple(np.zeros(size, driven.dtype) for _ in range(self._state_arrays))

    def _states(self, preactivations: Array) -> list[State]:
        """Return the state before each step, and after the last."""
        a = self._by_step(preactivations)
        states = [self._start(a)]
        for t in range(self.steps):
            states.append(self._next(a[..., t, :], states[-1]))
        return states

    def _deltas(self, rows: Array, preactivations: Array) -> Array:
        """Return rows `(n, h)` times `dh_T/da_t` of every step t, `(n, steps, gates * h)`."""
        a, states = self._by_step(preactivations), self._states(preactivations)
        deltas = np.empty((len(rows), *a.shape[-2:]), self.dtype)
        steps = reversed(range(self.steps))
        for t, step in zip(steps, self._backwards(rows, a, states), strict=True):
            deltas[:, t] = step
        return deltas

    @abstractmethod
    def _next(self, a: Array, state: State) -> State:
        """Return the state after a step with preactivations `a`, `(..., gates * h)`."""

    @abstractmethod
    def _next_tangents(
        self, deltas: Array, moved: State, a: Array, before: State, after: State
    ) -> State:
        """Return the state's tangents after a step.

        Takes the tangents `deltas` of `a`, `(n, gates * h)`, and `moved` of the state before the
        step, `a` itself, and the states before and after the step.
        """

    @abstractmethod
    def _backwards(self, rows: Array, a: Array, states: list[State]) -> Iterator[Array]:
        """Yield rows `(n, h)` times `dh_T/da_t`, `(n, gates * h)`, from the last step on."""


class RecurrentLayer(_RecurrentLayer):
    """`h_t = tanh(Wx x_t + Wh h_{t-1} + b)`, unrolled over a sequence; the output is `h_T`.

    Parameters
    ----------
    Wx, Wh, b
        Arrays of shapes `(h, i)`, `(h, h)` and `(h,)` and one dtype; they are copied.
    steps
        Length T of the sequence; inputs are `(T i,)`, step after step.

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
    """

    gates = 1

    def _next(self, a: Array, state: State) -> State:
        del state
        return (np.tanh(a),)

    def _next_tangents(
        self, deltas: Array, moved: State, a: Array, before: State, after: State
    ) -> State:
        del moved, a, before
        return (deltas * (1 - np.square(after[0])),)

    def _backwards(self, rows: Array, a: Array, states: list[State]) -> Iterator[Array]:
        del a
        for (h,) in reversed(states[1:]):
            deltas = rows * (1 - np.square(h))
            yield deltas
            rows = deltas @ self.Wh


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

    gates = 4
    _state_arrays = 2

    def _next(self, a: Array, state: State) -> State:
        i, f, g, o = self._gates(a)
        c = f * state[1] + i * g
        return o * np.tanh(c), c

    def _gates(self, a: Array) -> tuple[Array, Array, Array, Array]:
        """Return i, f, g and o, each `(..., h)`, from preactivations `(..., 4 h)`."""
        i, f, g, o = np.split(a, 4, axis=-1)
        return _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)

    def _slopes(
        self, a: Array, before: State, after: State
    ) -> tuple[tuple[Array, Array, Array], Array, Array, Array]:
        """Return `dc_t/da_t` by i, f and g; `dc_t/dc_{t-1}`; `dh_t/dc_t`; `dh_t/da_t` by o.

        All are diagonals, `(..., h)`.
        """
        i, f, g, o = self._gates(a)
        squashed = np.tanh(after[1])
        into_cell = g * i * (1 - i), before[1] * f * (1 - f), i * (1 - np.square(g))
        return into_cell, f, o * (1 - np.square(squashed)), squashed * o * (1 - o)

    def _next_tangents(
        self, deltas: Array, moved: State, a: Array, before: State, after: State
    ) -> State:
        into_cell, kept, out_of_cell, by_o = self._slopes(a, before, after)
        *gates, output = np.split(deltas, 4, axis=-1)
        added = sum(slope * gate for slope, gate in zip(into_cell, gates, strict=True))
        cell = kept * moved[1] + added
        return out_of_cell * cell + by_o * output, cell

    def _backwards(self, rows: Array, a: Array, states: list[State]) -> Iterator[Array]:
        by_cell = np.zeros_like(rows)  # rows times dh_T/dc_t
        for t in reversed(range(self.steps)):
            into_cell, kept, out_of_cell, by_o = self._slopes(a[..., t, :], *states[t : t + 2])
            by_cell = by_cell + rows * out_of_cell
            gates = [by_cell * slope for slope in into_cell]
            deltas = np.concatenate([*gates, rows * by_o], axis=-1)
            yield deltas
            rows, by_cell = deltas @ self.Wh, by_cell * kept
