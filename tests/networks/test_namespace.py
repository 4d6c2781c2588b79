"""The public namespace `jc.networks`."""

import inspect

import jacchain as jc


def test_every_public_name_is_there_and_documented_by_example():
    values = {name: getattr(jc.networks, name) for name in jc.networks.__all__ if name != "ZOO"}
    assert {"Network", "load_network", "mlp", "vjp"} <= values.keys()
    assert all("Examples\n-----" in inspect.getdoc(value) for value in values.values())
