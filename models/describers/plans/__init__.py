"""Sentences of a description: which pieces stand together, in which order, with which verbs.

Words for what was measured come from the room of statements. A plan writes one sentence in one of many wordings.
"""

from models.describers.plans.findings import description as description
from models.describers.plans.findings import found as found
from models.describers.plans.findings import introduction as introduction
from models.describers.plans.findings import phrase as phrase
from models.describers.plans.groups import largest as largest
from models.describers.plans.groups import together as together
from models.describers.plans.images import as_large_as_lungs as as_large_as_lungs
from models.describers.plans.images import disease as disease
from models.describers.plans.images import image as image
from models.describers.plans.images import opening as opening
from models.describers.plans.images import upon as upon
from models.describers.plans.measured import measurements as measurements
from models.describers.plans.others import absence as absence
from models.describers.plans.others import context as context
from models.describers.plans.others import further as further
from models.describers.plans.others import opinion as opinion
from models.describers.plans.pairs import smaller as smaller
from models.describers.plans.pairs import whiter as whiter
from models.describers.plans.pairs import whiter_below as whiter_below
from models.describers.plans.plan import Plan as Plan
from models.describers.plans.relations import continuation as continuation
from models.describers.plans.relations import relation as relation
from models.describers.plans.reports import report as report
from models.describers.plans.several import MANY as MANY
from models.describers.plans.several import many as many
from models.describers.plans.several import shaped as shaped
from models.describers.plans.several import spread_and_shaped as spread_and_shaped
from models.describers.plans.several import spread_out as spread_out
