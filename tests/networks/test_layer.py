"""The base class of layers, which every public layer defines fully."""

from jacchain import networks
from jacchain.networks.layer import Layer


def test_every_public_layer_is_tested_in_the_deep_network(deep_network):
    public = [getattr(networks, name) for name in networks.__all__]
    layers = {kind for kind in public if isinstance(kind, type) and issubclass(kind, Layer)}
    assert {type(layer) for layer in deep_network.layers} == layers


def test_layers_without_parameters_return_themselves(deep_network):
    without = [layer for layer in deep_network.layers if not layer.parameters]
    assert len(without) == 4
    assert all(layer.with_parameters({}) is layer for layer in without)
