"""From a graph's outputs to candidates, opinions, landmarks or embeddings: a module for each way to tell them.

Knows nothing of which expert looks at which image.
"""

from collections.abc import Callable

from models.experts.adapters.boxes import find_boxes
from models.experts.adapters.classifier import find_opinions
from models.experts.adapters.contours import find_contours
from models.experts.adapters.embedding import find_embedding
from models.experts.adapters.flows import find_cells
from models.experts.adapters.heatmap import find_peaks
from models.experts.adapters.hover import find_nuclei
from models.experts.adapters.instances import find_instances
from models.experts.adapters.landmarks import find_landmarks
from models.experts.adapters.maps import find_in_maps
from models.experts.adapters.promptable import find_prompted
from models.experts.adapters.semantic import find_classes
from models.experts.adapters.stardist import find_stars
from models.experts.adapters.volume import find_in_volume
from models.experts.running import Expert, Found, Sight

_READ: dict[str, Callable[[Expert, Sight], Found]] = {
    "maps": find_in_maps,
    "semantic": find_classes,
    "volume": find_in_volume,
    "boxes": find_boxes,
    "instances": find_instances,
    "heatmap": find_peaks,
    "classifier": find_opinions,
    "landmarks": find_landmarks,
    "contours": find_contours,
    "embedding": find_embedding,
    "promptable": find_prompted,
    "hover": find_nuclei,
    "stardist": find_stars,
    "flows": find_cells,
}


def look(expert: Expert, sight: Sight) -> Found:
    """What an expert finds in an image. Raises one of `running.RUN_ERRORS` where it fails on it."""
    decoding = expert.manifest.decoding
    return _READ[decoding.kind if decoding else "maps"](expert, sight)
