"""The nouns: one frozen type for each message on the wire. Knows nothing of Kafka, pixels' meaning, or files."""
