"""Triplets as they come, into training, from where the last run ended: python examples/consume_topic.py HOST:PORT"""

import json
import sys
from pathlib import Path

from infra.training import stream

checkpoint = Path("stream-state.json")
dataset = stream(sys.argv[1])
if checkpoint.exists():
    dataset.load_state_dict(json.loads(checkpoint.read_bytes()))
for step, row in enumerate(dataset, start=1):
    print(step, row["modality"], row["caption"])
    if step % 100 == 0:
        checkpoint.write_text(json.dumps(dataset.state_dict()))
