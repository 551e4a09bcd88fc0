"""Which knowledge base is searched: the one on Weaviate where there is such a server, else a file, else the starter.

Loads weaviate-client or an ONNX encoder only where they are asked for.
"""

from pathlib import Path

from models.knowledge.base import Knowledge
from models.knowledge.embedded import ensure_index, open_embedded
from models.knowledge.encoder import Encoder
from models.knowledge.passages import STARTER_CORPUS
from schemas.weaviate import WeaviateServer


def open_knowledge(
    state: Path,
    *,
    index: Path | None = None,
    encoder: Path | None = None,
    weaviate: WeaviateServer | None = None,
) -> Knowledge:
    """The knowledge to search. A server that is away is noticed by the first search, not here.

    Args:
        state: folder in which the starter corpus is indexed when it is needed.
        index: a file that `tristream knowledge build` wrote.
        encoder: folder of the encoder of the base, and of the starter corpus; None: one that is fitted to the passages.
        weaviate: a server; it goes before `index`.

    Raises:
        InvalidIndex, OtherEncoder, BrokenEncoder: what is named cannot be used.
        Unavailable: `index` cannot be read.
    """
    chosen = load_encoder(encoder)
    if weaviate is not None:
        from models.knowledge.weaviate import WeaviateKnowledge

        return WeaviateKnowledge(weaviate, chosen)
    base = open_embedded(index or ensure_index(STARTER_CORPUS, state / "knowledge", chosen), chosen)
    return lambda: base


def load_encoder(folder: Path | None) -> Encoder | None:
    """The encoder in a folder, of one tower or two; None: none. Raises BrokenEncoder."""
    if folder is None:
        return None
    from models.knowledge.biomedical import BiomedicalEncoder
    from models.knowledge.sentences import FILES, SentenceEncoder

    return SentenceEncoder(folder) if (folder / FILES[0]).is_file() else BiomedicalEncoder(folder)
