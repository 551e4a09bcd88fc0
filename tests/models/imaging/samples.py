"""What tests of imaging are made with: where pydicom's own files lie, and whether their peer is there."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import data_store
import pydicom
import pytest

DATA = Path(pydicom.__file__).parent / "data"
MORE_DATA = Path(data_store.__file__).parent / "data"
MakeDicom = Callable[..., bytes]

# On CI the peer must be there: a test that skips itself proves nothing.
needs_dcmtk = pytest.mark.skipif(
    shutil.which("dcmj2pnm") is None and os.environ.get("CI") != "true", reason="DCMTK is not installed"
)
