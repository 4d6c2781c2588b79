"""Time and peak memory of one evaluation, both orders, over each swept size.

A kernel is built in its first call, which the warm-up must outlast: else asv takes the building
for a call, and does not batch. (A `setup`, of whatever kind, would end all batching.) Peak memory
includes the factors.
"""

from . import cases


class _Evaluation:
    """One sweep; asv gives each benchmark the swept value and the order."""

    dims: dict[int, cases.Dims]
    version = "1"
    warmup_time = 0.5

    def time_evaluate(self, value, order):
        cases.kernel(self.dims[value], order)()


class _Memory(_Evaluation):
    def peakmem_evaluate(self, value, order):
        cases.kernel(self.dims[value], order)()


class OverX(_Memory):
    dims = cases.cells("x")
    params = (list(dims), cases.ORDERS)
    param_names = ("log2_x", "order")


class OverZ1(_Evaluation):
    dims = cases.cells("z1")
    params = (list(dims), cases.ORDERS)
    param_names = ("log2_z1", "order")


class OverZ2(_Evaluation):
    dims = cases.cells("z2")
    params = (list(dims), cases.ORDERS)
    param_names = ("log2_z2", "order")


class OverZ3(_Evaluation):
    dims = cases.cells("z3")
    params = (list(dims), cases.ORDERS)
    param_names = ("log2_z3", "order")


class OverAllZ(_Memory):
    dims = cases.cells("all_z")
    params = (list(dims), cases.ORDERS)
    param_names = ("log2_z", "order")


class OverDepth(_Evaluation):
    dims = cases.cells("depth")
    params = (list(dims), cases.ORDERS)
    param_names = ("layers", "order")
