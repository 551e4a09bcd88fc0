"""What an answer is worth: each score by itself, none of them a mixture. Knows nothing of models or benchmarks."""
