"""Networks at a point or of a batch: layers, a loss, Jacobian chains and gradients.

Layers are flat arrays in, flat arrays out. Build a `Network` of them, or take one from `mlp` or
`load_network`; its `chain` is what the rest of the package plans and evaluates.

Examples
--------
>>> import jacchain as jc
>>> net = jc.networks.Network(
...     [
...         jc.networks.ConvolutionLayer([[[1.0, -1.0]]], [0.0], size=(5,), activation="tanh"),
...         jc.networks.MaxPoolingLayer(1, (4,), kernel=2),
...     ]
... )
>>> net.chain([1, 2, 4, 8, 16], target=[0, 0]).dims
(1, 2, 4, 5)
"""

from jacchain.networks.activations import Activation
from jacchain.networks.affine import AffineLayer
from jacchain.networks.chains import batch_chain, unrolled_chain
from jacchain.networks.convolution import ConvolutionLayer
from jacchain.networks.derivatives import batch_gradients, gradients, gradients_evaluator, jvp, vjp
from jacchain.networks.flatten import FlattenLayer
from jacchain.networks.losses import Loss
from jacchain.networks.network import Network
from jacchain.networks.normalisation import LayerNormalisation
from jacchain.networks.pooling import AveragePoolingLayer, MaxPoolingLayer
from jacchain.networks.recurrent import GRULayer, LSTMLayer, RecurrentLayer
from jacchain.networks.residual import ResidualLayer
from jacchain.networks.training import accuracy, step, train
from jacchain.networks.zoo import ZOO, load_network, mlp

__all__ = [
    "ZOO",
    "Activation",
    "AffineLayer",
    "AveragePoolingLayer",
    "ConvolutionLayer",
    "FlattenLayer",
    "GRULayer",
    "LSTMLayer",
    "LayerNormalisation",
    "Loss",
    "MaxPoolingLayer",
    "Network",
    "RecurrentLayer",
    "ResidualLayer",
    "accuracy",
    "batch_chain",
    "batch_gradients",
    "gradients",
    "gradients_evaluator",
    "jvp",
    "load_network",
    "mlp",
    "step",
    "train",
    "unrolled_chain",
    "vjp",
]
