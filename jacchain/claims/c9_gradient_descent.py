"""C9: the derivative is the best linear approximation; against the gradient the loss falls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Part, Statement, exact, undecided
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.show import Axis, Curve, Lines, Panel
from jacchain.experiments.sizes import Sizes
from jacchain.networks import gradients, mlp
from jacchain.networks.training import accuracy, mean_loss, step, train
from jacchain.networks.zoo import article_product, load_network
from jacchain.units import share

NETWORKS = 100
LEAST_ACCURACY = 0.95
STEPS = np.geomspace(1e-2, 1e-4, 9)  # small enough to be of second order, large enough for rounding
FITTED = 5  # of the smallest steps
LEAST_OF_ORDER_TWO = 95  # of 100: where the second derivative happens to vanish, the order is three
OFF = (-1.0, -0.1, -0.01, 0.01, 0.1, 1.0)  # of other slopes, in lengths of the gradient
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
    """The order of each network's Taylor remainder, and (step, remainder) of the first network.

    `others` has, for each network, the smallest remainder that any other slope leaves at the
    smallest step, divided by the derivative's.
    """

    orders: Some
    example: Annotated[tuple[tuple[Above, Above], ...], Field(min_length=1)]
    others: tuple[FiniteFloat, ...] = ()  #: None in records of earlier versions


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
    """Fit the order of `|l(x + h d) - l(x) - h s|` over h for each of 100 random networks.

    `s` is the derivative `dl/dx d`, and then others, off it by up to the size of the gradient.
    """
    rng = np.random.default_rng(seed)
    remainders = np.array([_remainders(rng) for _ in range(NETWORKS)])
    of_derivative = remainders[:, 0]
    orders, _ = np.polyfit(np.log(STEPS[-FITTED:]), np.log(of_derivative[:, -FITTED:].T), 1)
    others = remainders[:, 1:, -1].min(axis=1) / of_derivative[:, -1]
    example = zip(STEPS.tolist(), of_derivative[0].tolist(), strict=True)
    return Remainders(tuple(orders.tolist()), tuple(example), tuple(others.tolist()))


def _remainders(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return remainders of a random network in a random direction, shape (1 + others, steps).

    The first row is of the derivative, the others of slopes that are off it by `OFF` times the
    length of the gradient.
    """
    network, x, target = _random_case(rng)
    direction = rng.standard_normal(x.size)
    direction /= np.linalg.norm(direction)
    gradient = gradients(network, x, target)["x"]
    slopes = float((gradient * direction).sum()) + np.array([0, *OFF]) * np.linalg.norm(gradient)
    start = network.loss_value(x, target)
    rises = np.array([network.loss_value(x + h * direction, target) - start for h in STEPS])
    return np.asarray(np.abs(rises - np.outer(slopes, STEPS)))


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


def judge(evidence: Evidence, _: Sizes) -> list[Statement]:
    """Judge the product example, Taylor remainders, other slopes, descent, and the digits."""
    judges: dict[str, tuple[str, Callable[[Any], list[Part]]]] = {
        "The article's example: f(x, y) = xy at (2, -6) falls by 6 h where x grows by h.": (
            "C9:product",
            _product_parts,
        ),
        "The remainder of the linear approximation is of second order: within 2 +- 0.1 in at least "
        f"{LEAST_OF_ORDER_TWO} of {NETWORKS} random networks.": ("C9:taylor", _order_parts),
        "The derivative is the best slope: in every random network each other slope tried leaves a "
        "larger remainder.": ("C9:taylor", _slope_parts),
        "One small step along the negative gradient lowers the loss of every random network.": (
            "C9:descent",
            _descent_parts,
        ),
        "So a network learns: the loss on handwritten digits falls to less than half, and at least "
        f"{share(LEAST_ACCURACY, 0)} of held-out digits are right.": ("C9:digits", _digits_parts),
    }
    statements = []
    for sentence, (check, parts) in judges.items():
        values = evidence.checks.get(check)
        missing = [undecided(check, "not run", timed=False)]
        statements.append(Statement(sentence, tuple(parts(values) if values else missing)))
    return statements


def _product_parts(values: Product) -> list[Part]:
    slopes = set(values.slopes)
    measured = slopes.pop() if len(slopes) == 1 else float("nan")
    return [exact("change of f over change of x", measured, -6.0)]


def _order_parts(values: Remainders) -> list[Part]:
    orders = np.asarray(values.orders)
    worst = float(orders[np.argmax(np.abs(orders - 2))])
    total, within = len(orders), int(np.count_nonzero(np.abs(orders - 2) <= 0.1))
    reason = (
        f"the order is within 2 +- 0.1 in {within} of {total} random networks, "
        f"median {np.median(orders):.3f}, farthest {worst:.3f}"
    )
    name, margin = (
        "networks whose remainder is of order 2",
        (
            LEAST_OF_ORDER_TWO / NETWORKS * total,
            total,
        ),
    )
    return [exact(name, within, total, margin=margin, unit="networks", reason=reason)]


def _slope_parts(values: Remainders) -> list[Part]:
    others = np.asarray(values.others)
    if not len(others):
        return [undecided("other slopes", "not tried by an earlier version", timed=False)]
    total, larger = len(others), int(np.count_nonzero(others > 1))
    reason = (
        f"of slopes off by {', '.join(f'{off:g}' for off in OFF)} lengths of the gradient, the "
        f"best leaves {others.min():.3g} to {others.max():.3g} times the derivative's remainder at "
        f"a step of {STEPS[-1]:g}"
    )
    name = "networks in which each other slope leaves more"
    return [exact(name, larger, total, unit="networks", reason=reason)]


def _descent_parts(values: Descent) -> list[Part]:
    fell, total = sum(change < 0 for change in values.changes), len(values.changes)
    reason = f"the loss fell in {fell} of {total} random networks"
    name = "networks whose loss falls by one small step"
    return [exact(name, fell, total, unit="networks", reason=reason)]


def _digits_parts(values: Digits) -> list[Part]:
    first, *_, last = values.losses
    fell = f"mean loss {first:.3f} before training, {last:.3f} after"
    right = f"{share(values.accuracy)} of {values.held_out} held-out digits are right"
    least, percent = 100 * LEAST_ACCURACY, 100 * values.accuracy
    return [
        exact("held-out accuracy", percent, least, margin=(least, 100), unit="%", reason=right),
        exact("loss after / before", last / first, 0, margin=(-np.inf, 0.5), reason=fell),
    ]


def shows(evidence: Evidence, _: Sizes) -> Iterator[Lines]:
    """Show, left, the remainder over the step; right, the loss over epochs."""
    remainders, losses = (evidence.checks.get(f"C9:{name}") for name in ("taylor", "digits"))
    yield Lines(
        "gradient_descent",
        _title(remainders),
        "Left: remainder of the linear approximation of one random network's loss over the "
        "step, beside a line of order 2. Right: loss on the training digits over epochs.",
        ((_remainder_panel(remainders), _loss_panel(losses)),),
        inches=4.2,
    )


def _title(values: Remainders | None) -> str:
    """Say with which exponent the remainder falls with the step: by one line, over all steps."""
    if values is None:
        return "Taylor remainder and training on handwritten digits"
    steps, remainders = np.log(np.array(values.example)).T
    return f"The remainder falls as h^{np.polyfit(steps, remainders, 1)[0]:.2f}; formula 2"


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
    note = f"{share(values.accuracy)} of the\nheld-out digits\nare right"
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
