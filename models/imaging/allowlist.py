"""All elements of a DICOM header that are ever read, by name. Knows nothing of how, nor of what their values mean."""

TAGS = (
    # what the image is
    "SOPClassUID", "ImageType", "Modality", "BodyPartExamined", "AnatomicRegionSequence", "StudyDescription",
    "SeriesDescription", "ProtocolName", "ViewPosition", "ViewCodeSequence", "ImageLaterality", "Laterality",
    "FrameLaterality", "PatientOrientation", "AnatomicalOrientationType", "ImageOrientationPatient",
    "DetectorInformationSequence",
    # which image it is and where it lies, for objects that mark regions of it
    "SOPInstanceUID", "FrameOfReferenceUID", "ImagePositionPatient",
    # what it belongs to, and which slices of its series lie beside it
    "PatientID", "StudyInstanceUID", "SeriesInstanceUID",
    "AcquisitionNumber", "EchoNumbers", "TemporalPositionIdentifier", "DiffusionBValue",
    "DiffusionGradientOrientation", "NominalPercentageOfCardiacPhase", "FrameReferenceTime",
    # how it was taken
    "SliceThickness", "ContrastBolusAgent", "ContrastBolusAgentSequence", "ContrastBolusVolume",
    "AcquisitionType", "ScanOptions", "SpacingBetweenSlices",
    "AcquisitionMatrix", "RepetitionTime", "EchoTime", "InversionTime", "ScanningSequence", "AcquisitionContrast",
    "MagneticFieldStrength", "KVP", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "PixelSpacingCalibrationType", "EstimatedRadiographicMagnificationFactor", "PixelAspectRatio",
    "SequenceOfUltrasoundRegions", "LossyImageCompression",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    # how its pixels are stored
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit", "DoubleFloatPixelPaddingValue",
    "DoubleFloatPixelPaddingRangeLimit",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData", "ICCProfile",
    "OpticalPathSequence",
    # whether text may be burned into them
    "BurnedInAnnotation", "ConversionType", "RecognizableVisualFeatures", "SpecimenLabelInImage",
    # what its values mean
    "RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence", "Units", "DoseGridScaling", "DoseUnits",
    "MultienergyCTAcquisition", "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence",
    "PresentationLUTShape", "DecayCorrection", "CorrectedImage", "SUVType", "PatientWeight",
    "RadiopharmaceuticalInformationSequence",
    "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime", "TimezoneOffsetFromUTC",
)  # fmt: skip
"""All that is read from a DICOM image (PS3.6 keywords), with PRIVATE. Any other element is skipped unparsed."""

PRIVATE = {
    ("SIEMENS MR HEADER", 0x0019, 0x0A): "NumberOfImagesInMosaic",
    ("SIEMENS CSA HEADER", 0x0029, 0x10): "CSA Image Header Info, of which two values are looked at",
}
"""Private elements that are read: creator, group and last byte of the element (PS3.5 7.8.1), and what they are."""

PIXEL_ELEMENTS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
BLOCKS = range(0x10, 0x18)
"""Of private elements, those in which a creator is looked for: writers take the first that is free."""
