"""For every Python process of the server, before all else: Python itself imports a module of this name."""

import ctypes
import signal
import sys

# SGLang ties its processes to their parent too, but only after minutes of imports; one killed meanwhile leaves orphans.
if sys.platform == "linux":
    _PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

# Kernels for GPUs: a tenth of all time to import, and of no use here.
sys.modules["flashinfer"] = None
