"""Training sets made of triplets: splits, filters, instruction data, formats, cards, audits.

Knows nothing of Kafka: triplets come in as an iterable that can be read twice.
"""
