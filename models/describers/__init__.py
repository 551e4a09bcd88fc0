"""Describers: what writes a description from regions, measurements and passages. Knows nothing of Kafka."""

from models.describers.base import Describer as Describer
from models.describers.composer import Composer as Composer
from models.describers.settings import Serving as Serving
from models.describers.triplet import make_triplet as make_triplet
