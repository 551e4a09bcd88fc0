"""The wires: topics, codec, delivery, dead letters, flow control, bucket sources. Knows nothing of medicine."""
