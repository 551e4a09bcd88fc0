"""De-identification by DICOM PS3.15 Annex E, Basic Application Level Confidentiality Profile: its table is the program.

Knows datasets and values. Knows nothing of folders, and of pixels only where they lie. Whole files: see `files`.
"""

from models.imaging.deidentify.engine import deidentify
from models.imaging.deidentify.policy import Policy
from models.imaging.deidentify.pseudonyms import Pseudonyms

__all__ = ["Policy", "Pseudonyms", "deidentify"]
