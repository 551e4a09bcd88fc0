"""Medical knowledge: passages, the query built from what was seen, and the stores that are searched for them.

Knows nothing of Kafka or of how descriptions are written.
"""

from models.knowledge.base import Knowledge as Knowledge
from models.knowledge.base import KnowledgeBase as KnowledgeBase
from models.knowledge.base import Only as Only
from models.knowledge.base import Query as Query
from models.knowledge.embedded import EmbeddedKnowledge as EmbeddedKnowledge
from models.knowledge.embedded import InvalidIndex as InvalidIndex
from models.knowledge.embedded import build as build
from models.knowledge.embedded import ensure_index as ensure_index
from models.knowledge.embedded import open_embedded as open_embedded
from models.knowledge.embedded import write_index as write_index
from models.knowledge.encoder import Encoder as Encoder
from models.knowledge.finding import find as find
from models.knowledge.opening import load_encoder as load_encoder
from models.knowledge.opening import open_knowledge as open_knowledge
from models.knowledge.passages import STARTER_CORPUS as STARTER_CORPUS
from models.knowledge.passages import InvalidCorpus as InvalidCorpus
from models.knowledge.passages import read_corpus as read_corpus
from models.knowledge.query import questions as questions
from models.knowledge.quoting import quotable as quotable
