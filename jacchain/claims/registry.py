"""The claims and studies, found by their files, each of which defines EXPERIMENT."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module

from jacchain.chains.registry import Registry
from jacchain.claims import modules, own_chain
from jacchain.experiments.experiment import Experiment

UNTESTED = {"C6": "|x| of hundreds of millions"}
"""Claims of the article that no file here tests yet, with their titles."""


@cache
def experiments() -> Registry[Experiment]:
    """Return every experiment by its claim, in the order of their numbers; studies last.

    Examples
    --------
    >>> list(experiments().entries)
    ['C1', 'C2', 'C3', 'C4', 'C5', 'C7', 'C8', 'C9', 'C10',
     'batching', 'construction', 'model', 'peers', 'self-test']
    """
    registry: Registry[Experiment] = Registry("claim")
    for name in modules().values():
        experiment = import_module(f"jacchain.claims.{name}").EXPERIMENT
        registry.register(experiment.claim, experiment)
    return registry


def chosen(claims: Iterable[str] = (), *, also: Iterable[str] = ()) -> tuple[Experiment, ...]:
    """Return the experiments of these claims or else the default ones, `also` others.

    Names are in any case, or of chains as `own_chain.claim_of` gives them. With each experiment
    come those that are shown beside it. Raises ValueError if a claim is unknown.
    """
    entries = experiments().entries
    defaults = (name for name, experiment in entries.items() if experiment.default)
    picked = [_named(name) for name in (*(tuple(claims) or defaults), *also)]
    names = {name for experiment in picked for name in (experiment.claim, *experiment.beside)}
    own = {e.claim: e for e in picked if e.claim not in entries}
    return (*own.values(), *(entries[name] for name in entries if name in names))


def _named(name: str) -> Experiment:
    own = own_chain.experiment_named(name)
    if own is not None:
        return own
    by_lower = {claim.lower(): claim for claim in experiments().entries}
    return experiments()[by_lower.get(name.lower(), name)]
