"""LLaVA-Tri: a vision–language model trained on triplets, evaluated with controls, served back into the stream.

Knows nothing of Kafka.
"""
