"""Public collections as they lie on disk, made into inputs: each image with a sidecar of what is said of it.

What a collection's files mean stands in collections.toml; how such a declaration is read, in files.py and volumes.py.
"""

from models.datasets.sources.collections import Collection as Collection
from models.datasets.sources.collections import collections as collections
from models.datasets.sources.found import Found as Found
from models.datasets.sources.found import LeftOut as LeftOut
from models.datasets.sources.found import WrongLayout as WrongLayout
from models.datasets.sources.placing import Placed as Placed
from models.datasets.sources.placing import place as place
