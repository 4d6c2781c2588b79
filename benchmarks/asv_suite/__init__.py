"""The asv suite: what the orders of a Jacobian chain cost, over commits and numpy versions.

asv runs these files, as they are today, against every commit that it measures: they import
jacchain's public face only. BLAS gets one thread. asv's runner may have loaded numpy before, and
then it is too late for variables of the environment.
"""

import numpy  # noqa: F401, ICN001  # its BLAS must be there to be limited
import threadpoolctl

threadpoolctl.threadpool_limits(limits=1, user_api="blas")
