"""The knowledge base on a Weaviate server: a collection for each snapshot, and an alias that names the current one.

Knows nothing of corpora, or of how the embedded store ranks. Importing it loads weaviate-client: only for who uses it.
"""

import warnings

from authlib.deprecate import AuthlibDeprecationWarning

# weaviate-client's library for signing in warns, as it is loaded, of an HTTP client that nobody here chooses.
warnings.filterwarnings("ignore", category=AuthlibDeprecationWarning)

from models.knowledge.weaviate.building import build as build  # noqa: E402
from models.knowledge.weaviate.building import current_passages as current_passages  # noqa: E402
from models.knowledge.weaviate.searching import WeaviateKnowledge as WeaviateKnowledge  # noqa: E402
