"""Experts that locate regions of interest: manifests, registry, measurement. Knows nothing of files, DICOM or Kafka.

Imports nothing by itself: the export code lives in an environment without ONNX Runtime's companions.
"""
