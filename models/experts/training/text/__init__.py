"""Trains the network that finds lines of text for preprocess (models/imaging/text). Runs where torch is installed."""
