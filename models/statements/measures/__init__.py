"""What was measured, as claims ask for it. Knows nothing of sentences."""

from models.statements.measures.levels import contrast_of as contrast_of
from models.statements.measures.levels import levels as levels
from models.statements.measures.levels import ranked as ranked
from models.statements.measures.levels import shown_sign as shown_sign
from models.statements.measures.levels import worded as worded
from models.statements.measures.numbers import near as near
from models.statements.measures.numbers import of_image as of_image
from models.statements.measures.numbers import share_of as share_of
from models.statements.measures.numbers import sized as sized
from models.statements.measures.numbers import times as times
from models.statements.measures.occurrence import SAME as SAME
from models.statements.measures.occurrence import both_sides as both_sides
from models.statements.measures.occurrence import continues as continues
from models.statements.measures.occurrence import experts_for as experts_for
from models.statements.measures.occurrence import found_by as found_by
from models.statements.measures.occurrence import left_out as left_out
from models.statements.measures.occurrence import looked_for as looked_for
from models.statements.measures.occurrence import outlined_otherwise as outlined_otherwise
from models.statements.measures.occurrence import spread as spread
from models.statements.measures.occurrence import way_of as way_of
from models.statements.measures.places import outwards as outwards
from models.statements.measures.places import placed as placed
from models.statements.measures.relations import covered as covered
from models.statements.measures.relations import iou as iou
from models.statements.measures.relations import parts as parts
from models.statements.measures.relations import related as related
