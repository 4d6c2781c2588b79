"""Multiplications really executed, both orders, over |x| and all |z_i|, at sizes soon counted."""

import jacchain as jc

from . import cases


class _Counting:
    dims: dict[int, cases.Dims]
    version = "1"
    unit = "multiplications"

    def track_multiplications(self, value, order):
        return jc.count(cases.chain(self.dims[value]), order)


class OverX(_Counting):
    dims = cases.cells("x")
    params = (cases.countable("x"), cases.ORDERS)
    param_names = ("log2_x", "order")


class OverAllZ(_Counting):
    dims = cases.cells("all_z")
    params = (cases.countable("all_z"), cases.ORDERS)
    param_names = ("log2_z", "order")
