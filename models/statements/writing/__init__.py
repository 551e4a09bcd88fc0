"""Claims → text, in one of many wordings. What is written here is read back by the same table.

Knows nothing of which claims are worth telling, nor of how sentences are built of them.
"""

from models.statements.writing.facets import Facet as Facet
from models.statements.writing.images import image_nouns as image_nouns
from models.statements.writing.images import image_piece as image_piece
from models.statements.writing.images import organ_piece as organ_piece
from models.statements.writing.looks import FACETS as FACETS
from models.statements.writing.looks import FURTHER as FURTHER
from models.statements.writing.looks import facet as facet
from models.statements.writing.names import Name as Name
from models.statements.writing.names import by_whom as by_whom
from models.statements.writing.names import counted as counted
from models.statements.writing.names import is_implausible as is_implausible
from models.statements.writing.names import is_named_alone as is_named_alone
from models.statements.writing.names import is_scattered as is_scattered
from models.statements.writing.names import name_of as name_of
from models.statements.writing.names import nouns as nouns
from models.statements.writing.names import number_of as number_of
from models.statements.writing.places import WITHIN as WITHIN
from models.statements.writing.places import place_piece as place_piece
from models.statements.writing.sizes import COVERS as COVERS
from models.statements.writing.sizes import two_figures as two_figures
from models.statements.writing.text import Piece as Piece
from models.statements.writing.text import article as article
from models.statements.writing.text import count as count
from models.statements.writing.text import joined as joined
from models.statements.writing.text import numbered as numbered
from models.statements.writing.text import sentence as sentence
