"""C9: the derivative is the best linear approximation; against the gradient the loss falls."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field, FiniteFloat

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Judgement, Part, exact, undecided
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.profiles import Profile
from jacchain.networks.gradients import gradients
from jacchain.networks.mlp import mlp
from jacchain.networks.training import accuracy, mean_loss, step, train
from jacchain.networks.zoo import article_product, load

NETWORKS = 100
LEAST_ACCURACY = 0.95
STEPS = np.geomspace(1e-2, 1e-4, 9)  # small enough to be of second order, large enough for rounding
FITTED = 5  # of the smallest steps
LEAST_OF_ORDER_TWO = 95  # of 100: where the second derivative happens to vanish, the order is three


Some = Annotated[list[FiniteFloat], Field(min_length=1)]


@dataclass(frozen=True)
class Product:
    """Values of `product_example`."""

    gradient: Some
    slopes: Some


@dataclass(frozen=True)
class Remainders:
    """Values of `taylor_remainders`."""

    orders: Some
    steps: Some
    remainders: Some


@dataclass(frozen=True)
class Descent:
    """Values of `descent_steps`."""

    learning_rate: FiniteFloat
    changes: Some


@dataclass(frozen=True)
class Digits:
    """Values of `digits`: mean losses before and after each epoch, share of right answers."""

    losses: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=2)]
    accuracy: Annotated[float, Field(ge=0, le=1)]
    held_out: int


def product_example(_: int) -> dict[str, Any]:
    """The article's f(x, y) = x y at (2, -6): moving x by h changes f by -6 h, exactly."""
    value, gradient = article_product(2, -6)
    steps = [2.0**-k for k in range(11)]  # exact in binary, so that equality is to the digit
    changes = [article_product(2 + h, -6)[0] - value for h in steps]
    return {
        "gradient": gradient.ravel().tolist(),
        "slopes": [c / h for c, h in zip(changes, steps, strict=True)],
    }


def _random_case(rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """A small random network with a smooth activation, an input and a target."""
    sizes = [int(n) for n in rng.integers(2, 9, size=rng.integers(3, 6))]
    activation = str(rng.choice(["tanh", "sigmoid", "softplus", "gelu"]))
    network = mlp(*sizes, activation=activation, rng=rng)
    return network, rng.standard_normal(sizes[0]), rng.standard_normal(sizes[-1])


def taylor_remainders(seed: int) -> dict[str, Any]:
    """Order of |l(x + h d) - l(x) - h dl/dx d| over h, for each of 100 random networks."""
    rng = np.random.default_rng(seed)
    orders: list[float] = []
    example: list[float] = []
    for _ in range(NETWORKS):
        network, x, target = _random_case(rng)
        direction = rng.standard_normal(x.size)
        direction /= np.linalg.norm(direction)
        slope = float((gradients(network, x, target)["x"] * direction).sum())
        start = network.loss_value(x, target)
        remainders = [
            abs(network.loss_value(x + h * direction, target) - start - h * slope) for h in STEPS
        ]
        small = np.log(STEPS[-FITTED:]), np.log(remainders[-FITTED:])
        orders.append(float(np.polyfit(*small, 1)[0]))
        example = example or remainders
    return {"orders": orders, "steps": STEPS.tolist(), "remainders": example}


def descent_steps(seed: int) -> dict[str, Any]:
    """Change of the loss by one small step against the gradient, for each of 100 networks."""
    rng = np.random.default_rng(seed + 1)
    changes = []
    for _ in range(NETWORKS):
        network, x, target = _random_case(rng)
        moved = step(network, gradients(network, x, target), 1e-3)
        changes.append(float(moved.loss_value(x, target) - network.loss_value(x, target)))
    return {"learning_rate": 1e-3, "changes": changes}


def digits(seed: int) -> dict[str, Any]:
    """Train the digits classifier on three quarters of scikit-learn's handwritten digits."""
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    inputs = images / 8.0 - 1.0  # from -1 to 1
    order = np.random.default_rng(seed).permutation(len(inputs))
    quarter = len(inputs) // 4
    held_out, used = order[:quarter], order[quarter:]
    network = load("digits", rng=seed)
    first = mean_loss(network, inputs[used], classes[used])
    network, losses = train(
        network, inputs[used], classes[used], learning_rate=0.05, epochs=40, batch_size=8, rng=seed
    )
    return {
        "losses": [first, *losses],
        "accuracy": accuracy(network, inputs[held_out], classes[held_out]),
        "held_out": quarter,
    }


def judge(evidence: Evidence, _: Profile) -> list[Part]:
    """The product example, the order of the Taylor remainder, descent, and the digits."""
    judges = {
        "C9:product": _product_part,
        "C9:taylor": _taylor_part,
        "C9:descent": _descent_part,
        "C9:digits": _digits_part,
        "C9:loss": _loss_part,
    }
    sources = {"C9:loss": "C9:digits"}
    return [
        part(evidence.checks[name])
        if (name := sources.get(key, key)) in evidence.checks
        else undecided(key, "not run")
        for key, part in judges.items()
    ]


def _product_part(values: Any) -> Part:
    slopes = np.unique(values["slopes"])
    measured = float(slopes[0]) if len(slopes) == 1 else float("nan")
    return exact("f(x, y) = xy at (2, -6): change of f over change of x", measured, -6.0)


def _within(name: str, measured: float, expected: float, margin: tuple[float, float],
            unit: str, reason: str) -> Part:  # fmt: skip
    inside = margin[0] <= measured <= margin[1]
    verdict: Judgement = "agrees" if inside else "disagrees"
    return Part(
        name, measured, expected, margin, unit,
        verdict=verdict, reason=reason, p=float(inside), timed=False,
    )  # fmt: skip


def _taylor_part(values: Any) -> Part:
    orders = np.asarray(values["orders"])
    worst = float(orders[np.argmax(np.abs(orders - 2))])
    total, within = len(orders), int(np.count_nonzero(np.abs(orders - 2) <= 0.1))
    reason = (
        f"the order is within 2 +- 0.1 in {within} of {total} random networks, "
        f"median {np.median(orders):.3f}, farthest {worst:.3f}"
    )
    return _within("networks whose Taylor remainder is of order 2", within, total,
                   (LEAST_OF_ORDER_TWO / NETWORKS * total, total), "networks", reason)  # fmt: skip


def _descent_part(values: Any) -> Part:
    fell = int(np.count_nonzero(np.asarray(values["changes"]) < 0))
    total = len(values["changes"])
    reason = f"the loss fell in {fell} of {total} random networks"
    return _within("networks whose loss falls by one small step", fell, total,
                   (total, total), "networks", reason)  # fmt: skip


def _digits_part(values: Any) -> Part:
    reason = f"{values['accuracy']:.1%} of {values['held_out']} held-out digits are right"
    return _within("handwritten digits, held-out accuracy", 100 * values["accuracy"], 95.0,
                   (100 * LEAST_ACCURACY, 100.0), "%", reason)  # fmt: skip


def _loss_part(values: Any) -> Part:
    losses = values["losses"]
    reason = f"mean loss {losses[0]:.3f} before training, {losses[-1]:.3f} after"
    return _within("handwritten digits, loss after over before", losses[-1] / losses[0], 0.0,
                   (-np.inf, 0.5), "ratio", reason)  # fmt: skip


EXPERIMENT = Experiment(
    "C9",
    "Gradient descent",
    "The derivative is the best linear approximation, with a remainder of second order, and a "
    "small step along the negative gradient lowers the loss; so a network learns.",
    cells=lambda _: [],
    judge=judge,
    timed=False,
    needs=("sklearn",),
    checks={
        "C9:product": product_example,
        "C9:taylor": taylor_remainders,
        "C9:descent": descent_steps,
        "C9:digits": digits,
    },
    values={
        "C9:product": Product,
        "C9:taylor": Remainders,
        "C9:descent": Descent,
        "C9:digits": Digits,
    },
    figures=(
        Figure(
            "training",
            "gradient_descent",
            "Taylor remainder and training on handwritten digits",
            "Left: remainder of the linear approximation of one random network's loss over the "
            "step, beside a line of order 2. Right: loss on the training digits over epochs.",
        ),
    ),
)
