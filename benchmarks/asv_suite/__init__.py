"""The asv suite: what the orders of a Jacobian chain cost, over commits and numpy versions.

asv runs these files, as they are today, against every commit that it measures: they import
jacchain's public face only. BLAS gets one thread before numpy is loaded.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"
