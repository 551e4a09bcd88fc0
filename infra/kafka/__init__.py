"""Apache Kafka on this machine. Knows how to fetch and run a broker, and nothing of topics or messages."""
