"""The knowledge: imaging, experts, knowledge, describers. Knows nothing of Kafka."""
