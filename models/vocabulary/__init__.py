"""Words for structures, findings and diseases, and how a source's label is read. Knows nothing of images or files."""

from models.vocabulary.appearances import may_look_like
from models.vocabulary.channels import MOST_CHANNELS, Channel, channel_of, known_channels
from models.vocabulary.labels import Named, Reading, read_label
from models.vocabulary.search import terms_in
from models.vocabulary.terms import KINDS, TERMS, Kind, Term, holders

__all__ = [
    "KINDS", "MOST_CHANNELS", "TERMS", "Channel", "Kind", "Named", "Reading", "Term", "channel_of", "holders",
    "known_channels", "may_look_like", "read_label", "terms_in",
]  # fmt: skip
