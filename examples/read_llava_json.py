"""Conversations with the sizes of their pictures, from LLaVA's JSON: python examples/read_llava_json.py SET"""

import json
import sys
from pathlib import Path

from PIL import Image

folder = Path(sys.argv[1]) / "llava"
for item in json.loads((folder / "train.json").read_bytes()):
    print(item["id"], Image.open(folder / "images" / item["image"]).size)
    for turn in item["conversations"]:
        print(f"  {turn['from']}: {turn['value']}")
