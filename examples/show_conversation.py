"""One image with its conversation, as a trainer of TRL gets it: python examples/show_conversation.py SET"""

import sys

from datasets import load_dataset

row = load_dataset(sys.argv[1], split="train")[0]
print(row["images"][0].size, row["modality"], row["organ"])
for message in row["messages"]:
    print(f"{message['role']}: {' '.join(part['text'] or '<image>' for part in message['content'])}")
