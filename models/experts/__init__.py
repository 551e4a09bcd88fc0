"""Experts that locate regions of interest: manifests, registry, measurement. Knows nothing of files, DICOM or Kafka."""

from models.experts.registry import BrokenExpert as BrokenExpert
from models.experts.registry import Registry as Registry
