"""C9: the derivative is the best linear approximation; against the gradient the loss falls."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import Field, FiniteFloat

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Judgement, Part, exact, undecided
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.show import Axis, Curve, Lines, Panel
from jacchain.experiments.sizes import Sizes
from jacchain.networks import gradients, mlp
from jacchain.networks.training import accuracy, mean_loss, step, train
from jacchain.networks.zoo import article_product, load_network

NETWORKS = 100
LEAST_ACCURACY = 0.95
STEPS = np.geomspace(1e-2, 1e-4, 9)  # small enough to be of second order, large enough for rounding
FITTED = 5  # of the smallest steps
LEAST_OF_ORDER_TWO = 95  # of 100: where the second derivative happens to vanish, the order is three
LEARNING_RATE = 1e-3
LOSS_TICKS = np.outer(10.0 ** np.arange(-4, 3), (1, 2, 5)).ravel()

Above: TypeAlias = Annotated[FiniteFloat, Field(gt=0)]
Some: TypeAlias = Annotated[tuple[FiniteFloat, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Product:
    """The gradient of f(x, y) = x y at (2, -6), and changes of f over changes of x."""

    gradient: Some
    slopes: Some


@dataclass(frozen=True)
class Remainders:
    """The order of each network's Taylor remainder, and (step, remainder) of the first network."""

    orders: Some
    example: Annotated[tuple[tuple[Above, Above], ...], Field(min_length=1)]


@dataclass(frozen=True)
class Descent:
    """Changes of the loss of each network by one step."""

    learning_rate: FiniteFloat
    changes: Some


@dataclass(frozen=True)
class Digits:
    """Mean losses before and after each epoch, and the share of right answers."""

    losses: Annotated[tuple[Above, ...], Field(min_length=2)]
    accuracy: Annotated[float, Field(ge=0, le=1)]
    held_out: int


def product_example(_: int) -> Product:
    """Try the article's f(x, y) = x y at (2, -6): moving x by h changes f by -6 h, exactly.

    Examples
    --------
    >>> product_example(0).gradient
    (-6.0, 2.0)
    """
    value, gradient = article_product(2, -6)
    steps = [2.0**-k for k in range(11)]  # exact in binary, so that equality is to the digit
    slopes = tuple((article_product(2 + h, -6)[0] - value) / h for h in steps)
    return Product(tuple(gradient.ravel().tolist()), slopes)


def _random_case(rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Return a small random network with a smooth activation, an input and a target."""
    sizes = [int(n) for n in rng.integers(2, 9, size=rng.integers(3, 6))]
    activation = str(rng.choice(["tanh", "sigmoid", "softplus", "gelu"]))
    network = mlp(*sizes, activation=activation, rng=rng)
    return network, rng.standard_normal(sizes[0]), rng.standard_normal(sizes[-1])


def taylor_remainders(seed: int) -> Remainders:
    """Fit the order of `|l(x + h d) - l(x) - h dl/dx d|` over h for each of 100 random networks."""
    rng = np.random.default_rng(seed)
    remainders = np.array([_remainders(rng) for _ in range(NETWORKS)])
    small = np.log(STEPS[-FITTED:]), np.log(remainders[:, -FITTED:].T)
    orders, _ = np.polyfit(*small, 1)
    example = zip(STEPS.tolist(), remainders[0].tolist(), strict=True)
    return Remainders(tuple(orders.tolist()), tuple(example))


def _remainders(rng: np.random.Generator) -> list[float]:
    """Return the remainder of a random network in a random direction at each of `STEPS`."""
    network, x, target = _random_case(rng)
    direction = rng.standard_normal(x.size)
    direction /= np.linalg.norm(direction)
    slope = float((gradients(network, x, target)["x"] * direction).sum())
    start = network.loss_value(x, target)
    return [abs(network.loss_value(x + h * direction, target) - start - h * slope) for h in STEPS]


def descent_steps(seed: int) -> Descent:
    """Take one small step against the gradient in each of 100 random networks."""
    rng = np.random.default_rng(seed + 1)
    changes = []
    for _ in range(NETWORKS):
        network, x, target = _random_case(rng)
        moved = step(network, gradients(network, x, target), LEARNING_RATE)
        changes.append(float(moved.loss_value(x, target) - network.loss_value(x, target)))
    return Descent(LEARNING_RATE, tuple(changes))


def train_on_digits(seed: int) -> Digits:
    """Train the digits classifier on three quarters of scikit-learn's handwritten digits."""
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    inputs = images / 8.0 - 1.0  # from -1 to 1
    order = np.random.default_rng(seed).permutation(len(inputs))
    quarter = len(inputs) // 4
    held_out, used = order[:quarter], order[quarter:]
    network = load_network("digits", rng=seed)
    first = mean_loss(network, inputs[used], classes[used])
    network, losses = train(
        network, inputs[used], classes[used], learning_rate=0.05, epochs=40, batch_size=8, rng=seed
    )
    right = accuracy(network, inputs[held_out], classes[held_out])
    return Digits((first, *losses), right, quarter)


def judge(evidence: Evidence, _: Sizes) -> list[Part]:
    """Judge the product example, the order of the Taylor remainder, descent, and the digits."""
    judges: dict[str, Any] = {
        "C9:product": _product_part,
        "C9:taylor": _taylor_part,
        "C9:descent": _descent_part,
        "C9:digits": _digits_part,
        "C9:loss": _loss_part,
    }
    checks = {"C9:loss": evidence.checks.get("C9:digits"), **evidence.checks}
    values = ((name, checks.get(name), part) for name, part in judges.items())
    return [part(v) if v else undecided(name, "not run") for name, v, part in values]


def _product_part(values: Product) -> Part:
    slopes = set(values.slopes)
    measured = slopes.pop() if len(slopes) == 1 else float("nan")
    return exact("f(x, y) = xy at (2, -6): change of f over change of x", measured, -6.0)


def _within(low: float, high: float, part: Part) -> Part:
    """Judge an exact part by a wider margin."""
    inside = low <= part.measured <= high
    verdict: Judgement = "agrees" if inside else "disagrees"
    return replace(part, margin=(low, high), verdict=verdict, p=float(inside))


def _taylor_part(values: Remainders) -> Part:
    orders = np.asarray(values.orders)
    worst = float(orders[np.argmax(np.abs(orders - 2))])
    total, within = len(orders), int(np.count_nonzero(np.abs(orders - 2) <= 0.1))
    reason = (
        f"the order is within 2 +- 0.1 in {within} of {total} random networks, "
        f"median {np.median(orders):.3f}, farthest {worst:.3f}"
    )
    name, least = "networks whose Taylor remainder is of order 2", LEAST_OF_ORDER_TWO / NETWORKS
    part = exact(name, within, total, unit="networks", reason=reason)
    return _within(least * total, total, part)


def _descent_part(values: Descent) -> Part:
    fell, total = sum(change < 0 for change in values.changes), len(values.changes)
    reason = f"the loss fell in {fell} of {total} random networks"
    name = "networks whose loss falls by one small step"
    return exact(name, fell, total, unit="networks", reason=reason)


def _digits_part(values: Digits) -> Part:
    reason = f"{values.accuracy:.1%} of {values.held_out} held-out digits are right"
    name, least = "handwritten digits, held-out accuracy", 100 * LEAST_ACCURACY
    part = exact(name, 100 * values.accuracy, least, unit="%", reason=reason)
    return _within(least, 100.0, part)


def _loss_part(values: Digits) -> Part:
    first, *_, last = values.losses
    reason = f"mean loss {first:.3f} before training, {last:.3f} after"
    name = "handwritten digits, loss after over before"
    return _within(-np.inf, 0.5, exact(name, last / first, 0.0, unit="ratio", reason=reason))


def shows(evidence: Evidence, _: Sizes) -> Iterator[Lines]:
    """Show, left, the remainder over the step; right, the loss over epochs."""
    remainders, losses = (evidence.checks.get(f"C9:{name}") for name in ("taylor", "digits"))
    yield Lines(
        "gradient_descent",
        "Taylor remainder and training on handwritten digits",
        "Left: remainder of the linear approximation of one random network's loss over the "
        "step, beside a line of order 2. Right: loss on the training digits over epochs.",
        ((_remainder_panel(remainders), _loss_panel(losses)),),
        inches=4.2,
    )


def _remainder_panel(values: Remainders | None) -> Panel:
    x = Axis("step h", "powers of 10")
    y = Axis("remainder of the loss (absolute)", "powers of 10")
    if values is None:
        return Panel("Taylor remainder", x, y)
    steps, remainders = np.array(values.example).T
    squares = np.exp(np.mean(np.log(remainders / steps**2))) * steps**2
    points = Curve("one random network", steps, remainders, look="third", marks="filled", line="")
    return Panel("Taylor remainder", x, y, (Curve("order 2", steps, squares), points))


def _loss_panel(values: Digits | None) -> Panel:
    title, x = "handwritten digits", Axis("epoch")
    if values is None:
        return Panel(title, x, Axis("mean loss on the training digits", "ratio"))
    losses = np.array(values.losses)
    inside = (losses.min() <= LOSS_TICKS) & (losses.max() >= LOSS_TICKS)
    y = Axis("mean loss on the training digits", "ratio", tuple(LOSS_TICKS[inside].tolist()))
    curve = Curve("", np.arange(len(losses), dtype=float), losses, look="third", marks="filled")
    note = f"{values.accuracy:.1%} of the held-out\ndigits are right"
    return Panel(title, x, y, (curve,), note=note)


EXPERIMENT = Experiment(
    "C9",
    "Gradient descent",
    "The derivative is the best linear approximation, with a remainder of second order, and a "
    "small step along the negative gradient lowers the loss; so a network learns.",
    judge=judge,
    checks={
        "C9:product": Check(product_example, Product),
        "C9:taylor": Check(taylor_remainders, Remainders),
        "C9:descent": Check(descent_steps, Descent),
        "C9:digits": Check(train_on_digits, Digits),
    },
    shows=shows,
    timed=False,
    needs=("sklearn",),
    beside=(),
)
