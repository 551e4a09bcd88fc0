"""Training of a U-Net on images with masks, to an expert that the registry runs.

Needs the packages of the `train` extra: `make train-env`. The loop itself needs torch alone, and teaches other networks
too.
"""
