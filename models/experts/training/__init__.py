"""Training of a U-Net on images with masks, to an expert that the registry runs. The only place where torch learns.

Needs the packages of the `train` extra: `make train-env`.
"""

from models.experts.training.run import UnfitName, train_expert
from models.experts.training.settings import Settings, Subject

__all__ = ["Settings", "Subject", "UnfitName", "train_expert"]
