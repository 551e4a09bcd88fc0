"""From files as they are published to passages that can be cited: JSON Lines, Markdown and text, PubMed,
Bookshelf, Wikipedia, MedQuAD, PDF.

A loader yields what it finds, in order: passages, and a `Rejected` for each record that gives none, with the reason.
Nothing is raised for a bad record, and nothing is left out without a word.
"""

from models.knowledge.loaders.files import load as load
from models.knowledge.loaders.files import source_files as source_files
from models.knowledge.loaders.records import Rejected as Rejected
