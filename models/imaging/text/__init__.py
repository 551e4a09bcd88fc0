"""Text in pictures: where glyph-like strokes are, where a line of glyphs is, and whether it can be read.

Knows nothing of DICOM, nor of what is done with the text.
"""

from models.imaging.text.boxes import Box as Box
from models.imaging.text.clip import Clip as Clip
from models.imaging.text.search import VERSION as VERSION
from models.imaging.text.search import Found as Found
from models.imaging.text.search import can_be_read as can_be_read
from models.imaging.text.search import find_text as find_text
