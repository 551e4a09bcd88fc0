"""Typed claims: what a sentence can say of an image, each held against the facts. Knows nothing of words for them.

A claim of regions names them by id; where a name in a sentence fits several, `every` says whether it is said of all of
them or of one. `negated` turns it round.
"""

from models.statements.claims.base import MOST as MOST
from models.statements.claims.base import Bounded as Bounded
from models.statements.claims.base import Claim as Claim
from models.statements.claims.base import OfRegions as OfRegions
from models.statements.claims.base import Part as Part
from models.statements.claims.base import Together as Together
from models.statements.claims.base import of_one as of_one
from models.statements.claims.base import scope as scope
from models.statements.claims.display import AtEdge as AtEdge
from models.statements.claims.display import Clock as Clock
from models.statements.claims.display import Extent as Extent
from models.statements.claims.finders import Labelled as Labelled
from models.statements.claims.finders import Looked as Looked
from models.statements.claims.finders import Proposed as Proposed
from models.statements.claims.groups import Absence as Absence
from models.statements.claims.groups import Count as Count
from models.statements.claims.groups import Crowding as Crowding
from models.statements.claims.groups import Distance as Distance
from models.statements.claims.groups import Rank as Rank
from models.statements.claims.groups import Ratio as Ratio
from models.statements.claims.groups import Relation as Relation
from models.statements.claims.groups import Sides as Sides
from models.statements.claims.groups import Spread as Spread
from models.statements.claims.groups import Total as Total
from models.statements.claims.image import ContrastAgent as ContrastAgent
from models.statements.claims.image import Disease as Disease
from models.statements.claims.image import Endoscopy as Endoscopy
from models.statements.claims.image import ImageNumber as ImageNumber
from models.statements.claims.image import Localizer as Localizer
from models.statements.claims.image import Modality as Modality
from models.statements.claims.image import Plane as Plane
from models.statements.claims.image import Quotation as Quotation
from models.statements.claims.image import Structure as Structure
from models.statements.claims.image import View as View
from models.statements.claims.image import Weighting as Weighting
from models.statements.claims.image import endoscopy as endoscopy
from models.statements.claims.opinions import Opinion as Opinion
from models.statements.claims.regions import Continues as Continues
from models.statements.claims.regions import Finding as Finding
from models.statements.claims.regions import Gradient as Gradient
from models.statements.claims.regions import Level as Level
from models.statements.claims.regions import Marked as Marked
from models.statements.claims.regions import Parts as Parts
from models.statements.claims.regions import Place as Place
from models.statements.claims.regions import Share as Share
from models.statements.claims.regions import Size as Size
from models.statements.claims.regions import Word as Word
