"""What other DICOM objects mark in an image: segmentations, structure sets, structured reports. Imports nothing."""
