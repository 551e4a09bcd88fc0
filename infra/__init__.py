"""The ground it stands on: command line, local stack, Kafka. May import every other room; none imports it."""
