"""Recurrent layers, unrolled over time: the same parameters in every step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.structure import check_sizes
from jacchain.networks.activations import as_activation
from jacchain.networks.arrays import Array, as_array, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jacchain.jacobians.base import Jacobian
    from jacchain.networks.layers import Visit

_SIGMOID = as_activation("sigmoid")


class _RecurrentLayer(ABC):
    """What all have in common: `a_t = Wx x_t + Wh h_{t-1} + b`, `h_0 = 0`, and the output `h_T`.

    Inputs are flat, step after step. `gates` preactivations of a step belong to each state.
    """

    gates: int

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
        if not by_input.dtype == by_state.dtype == bias.dtype:
            dtypes = f"{by_input.dtype}, {by_state.dtype} and {bias.dtype}"
            message = f"Wx, Wh and b are {dtypes}; expected one dtype for all"
            raise TypeError(message)
        try:
            (self.steps,) = check_sizes([steps])
        except ValueError:
            message = f"a sequence of {steps} steps; expected at least 1"
            raise ValueError(message) from None
        self.Wx, self.Wh, self.b = frozen(by_input), frozen(by_state), frozen(bias)

    def __repr__(self) -> str:
        """Return the sizes."""
        size = self.Wx.shape[1]
        return f"{type(self).__name__}({self.steps} x {size} -> {self.output_size})"

    @property
    def input_size(self) -> int:
        """Steps times elements of each."""
        return self.steps * int(self.Wx.shape[1])

    @property
    def output_size(self) -> int:
        """Elements of the state."""
        return int(self.Wh.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of all parameters."""
        return self.b.dtype

    @property
    def parameters(self) -> dict[str, Array]:
        """`Wx`, `Wh` and `b` by these names, each used in every step."""
        return {"Wx": self.Wx, "Wh": self.Wh, "b": self.b}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer with other parameters; raises as the class does."""
        return type(self)(**{name: parameters[name] for name in self.parameters}, steps=self.steps)

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return all preactivations, flat, and the last state."""
        driven = self._by_step(inputs) @ self.Wx.T + self.b
        a = np.empty_like(driven)
        state = self._start(driven)
        for t in range(self.steps):
            a[..., t, :] = driven[..., t, :] + state[0] @ self.Wh.T
            state = self._next(a[..., t, :], state)
        return a.reshape(*inputs.shape[:-1], -1), state[0]

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return the derivative of the last state by all inputs, dense."""
        return DenseJacobian(self.vjp(np.eye(self.output_size, dtype=self.dtype), visit))

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, step by step from the last: `(n, input_size)`."""
        back = np.empty((len(adjoints), self.steps, self.Wx.shape[1]), self.dtype)
        for t, deltas in self._deltas(adjoints, visit.preactivations):
            back[:, t] = deltas @ self.Wx
        return back.reshape(len(adjoints), -1)

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return Jacobian times tangents, step by step from the first: `(n, output_size)`."""
        a, states = self._by_step(visit.preactivations), self._states(visit.preactivations)
        driven = self._by_step(tangents) @ self.Wx.T
        moved = self._start(driven)
        for t in range(self.steps):
            deltas = driven[..., t, :] + moved[0] @ self.Wh.T
            moved = self._next_tangents(deltas, moved, a[..., t, :], states[t : t + 2])
        return moved[0]

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return the derivative of the last state by each parameter, summed over the steps."""
        x, before = self._by_step(visit.inputs), self._states_before(visit.preactivations)
        sums = {name: np.zeros((self.output_size, p.size), self.dtype)
                for name, p in self.parameters.items()}  # fmt: skip
        rows = np.eye(self.output_size, dtype=self.dtype)
        for t, deltas in self._deltas(rows, visit.preactivations):
            sums["Wx"] += (deltas[:, :, None] * x[t]).reshape(len(deltas), -1)
            sums["Wh"] += (deltas[:, :, None] * before[t]).reshape(len(deltas), -1)
            sums["b"] += deltas
        return {name: DenseJacobian(total) for name, total in sums.items()}

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return the gradients, summed over steps and batch, and the adjoints of the inputs."""
        x, before = self._by_step(visit.inputs), self._states_before(visit.preactivations)
        sums = {name: np.zeros_like(p) for name, p in self.parameters.items()}
        back = np.empty_like(x)
        for t, deltas in self._deltas(adjoints, visit.preactivations):
            sums["Wx"] += deltas.T @ x[..., t, :]
            sums["Wh"] += deltas.T @ before[..., t, :]
            sums["b"] += deltas.sum(axis=0)
            back[..., t, :] = deltas @ self.Wx
        return sums, back.reshape(visit.inputs.shape)

    def _by_step(self, flat: Array) -> Array:
        return flat.reshape(*flat.shape[:-1], self.steps, -1)

    def _start(self, driven: Array) -> tuple[Array, ...]:
        """The state before the first step; its first array is `h_0`."""
        size = (*driven.shape[:-2], self.output_size)
        return tuple(np.zeros(size, driven.dtype) for _ in range(self._arrays))

    def _states(self, preactivations: Array) -> list[tuple[Array, ...]]:
        """The state before each step, and after the last."""
        a = self._by_step(preactivations)
        states = [self._start(a)]
        for t in range(self.steps):
            states.append(self._next(a[..., t, :], states[-1]))
        return states

    def _states_before(self, preactivations: Array) -> Array:
        """`h_{t-1}` of every step, shape (..., steps, states)."""
        states = self._states(preactivations)[:-1]
        return np.stack([state[0] for state in states], axis=-2)

    _arrays = 1  # of a state

    @abstractmethod
    def _next(self, a: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
        """The state after a step with preactivation `a`."""

    @abstractmethod
    def _next_tangents(
        self, deltas: Array, moved: tuple[Array, ...], a: Array, states: list[tuple[Array, ...]]
    ) -> tuple[Array, ...]:
        """The state's tangents after a step, from those of `a` and of the state before it."""

    @abstractmethod
    def _deltas(self, rows: Array, preactivations: Array) -> Iterator[tuple[int, Array]]:
        """Rows times `dh_T/da_t`, for every step from the last to the first."""


class RecurrentLayer(_RecurrentLayer):
    """`h_t = tanh(Wx x_t + Wh h_{t-1} + b)`, unrolled over a sequence; the output is `h_T`.

    Parameters
    ----------
    Wx, Wh, b
        Of shapes (h, i), (h, h) and (h,), of one dtype. Arrays are copied.
    steps
        Length T of the sequence; inputs are (T i,), step after step.

    Raises
    ------
    TypeError, ValueError
        If they are not real, finite and of these shapes, or there is no step.

    Examples
    --------
    >>> layer = RecurrentLayer([[1.0]], [[0.5]], [0.0], steps=2)
    >>> layer
    RecurrentLayer(2 x 1 -> 1)
    >>> layer.forward(np.array([0.0, 0.0]))[1]
    array([0.])
    >>> from jacchain.networks.layers import visit
    >>> layer.jacobian(visit(layer, np.zeros(2))).to_dense()
    array([[0.5, 1. ]])
    """

    gates = 1

    def states(self, preactivations: Array) -> list[Array]:
        """The state after each step, from all preactivations at a point."""
        return [state for (state,) in self._states(preactivations)[1:]]

    def _next(self, a: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
        del state
        return (np.tanh(a),)

    def _next_tangents(
        self, deltas: Array, moved: tuple[Array, ...], a: Array, states: list[tuple[Array, ...]]
    ) -> tuple[Array, ...]:
        del moved, a
        return (deltas * (1 - np.square(states[1][0])),)

    def _deltas(self, rows: Array, preactivations: Array) -> Iterator[tuple[int, Array]]:
        a = self._by_step(preactivations)
        for t in reversed(range(self.steps)):
            deltas = rows * (1 - np.square(np.tanh(a[..., t, :])))
            yield t, deltas
            rows = deltas @ self.Wh


class LSTMLayer(_RecurrentLayer):
    """Long short-term memory, unrolled over a sequence; the output is `h_T`.

    Hochreiter and Schmidhuber, Neural Computation 9(8), 1997, with the forget gate of Gers et al.,
    2000: `c_t = f c_{t-1} + i g`, `h_t = o tanh(c_t)`. `a_t` holds the preactivations of i, f, g
    and o, in this order; i, f and o are sigmoids, g is a tanh.

    Parameters
    ----------
    Wx, Wh, b
        Of shapes (4 h, i), (4 h, h) and (4 h,), of one dtype. Arrays are copied.
    steps
        Length T of the sequence; inputs are (T i,), step after step.

    Raises
    ------
    TypeError, ValueError
        If they are not real, finite and of these shapes, or there is no step.

    Examples
    --------
    >>> layer = LSTMLayer(np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4), steps=3)
    >>> layer
    LSTMLayer(3 x 1 -> 1)
    >>> layer.forward(np.ones(3))[1]
    array([0.])
    """

    gates = 4
    _arrays = 2

    def _next(self, a: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
        i, f, g, o = self._gates(a)
        c = f * state[1] + i * g
        return o * np.tanh(c), c

    def _gates(self, a: Array) -> tuple[Array, Array, Array, Array]:
        i, f, g, o = np.split(a, 4, axis=-1)
        return _SIGMOID.function(i), _SIGMOID.function(f), np.tanh(g), _SIGMOID.function(o)

    def _next_tangents(
        self, deltas: Array, moved: tuple[Array, ...], a: Array, states: list[tuple[Array, ...]]
    ) -> tuple[Array, ...]:
        i, f, g, o = self._gates(a)
        by_i, by_f, by_g, by_o = np.split(deltas, 4, axis=-1)
        (_, before), (_, c) = states
        cell = f * moved[1] + before * f * (1 - f) * by_f
        cell = cell + g * i * (1 - i) * by_i + i * (1 - np.square(g)) * by_g
        squashed = np.tanh(c)
        return squashed * o * (1 - o) * by_o + o * (1 - np.square(squashed)) * cell, cell

    def _deltas(self, rows: Array, preactivations: Array) -> Iterator[tuple[int, Array]]:
        a, states = self._by_step(preactivations), self._states(preactivations)
        by_cell = np.zeros_like(rows)  # rows times dh_T/dc_t
        for t in reversed(range(self.steps)):
            i, f, g, o = self._gates(a[..., t, :])
            squashed = np.tanh(states[t + 1][1])
            by_cell = by_cell + rows * o * (1 - np.square(squashed))
            deltas = np.concatenate(
                [
                    by_cell * g * i * (1 - i),
                    by_cell * states[t][1] * f * (1 - f),
                    by_cell * i * (1 - np.square(g)),
                    rows * squashed * o * (1 - o),
                ],
                axis=-1,
            )
            yield t, deltas
            rows, by_cell = deltas @ self.Wh, by_cell * f
