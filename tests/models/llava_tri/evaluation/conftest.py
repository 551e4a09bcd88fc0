"""A small benchmark in VQA-RAD's layout, with pictures of its own: half of them bright, half dark."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PICTURES = 24


def drawn(number: int) -> bytes:
    """A blotched picture, bright where the number is odd; no two are alike."""
    generator = np.random.default_rng(number)
    coarse = generator.integers(0, 60, (40, 48)) + (180 if number % 2 else 20)
    image = Image.fromarray(coarse.astype(np.uint8)).resize((96, 80), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def benchmark_folder(tmp_path: Path) -> Path:
    """Two questions a picture: whether it is bright, and an open one; a train split with both."""
    folder = tmp_path / "bench"
    (folder / "images").mkdir(parents=True)
    rows: list[dict[str, object]] = []
    for number in range(PICTURES):
        (folder / "images" / f"p{number:02}.png").write_bytes(drawn(number))
        rows.append(
            {"qid": number, "image_name": f"p{number:02}.png", "image_organ": "CHEST" if number < 12 else "HEAD",
             "question": "Is it bright?", "answer": "yes" if number % 2 else "no", "answer_type": "CLOSED",
             "question_type": "PRES"}
        )  # fmt: skip
    train = [
        {**rows[0], "qid": 100 + number, "image_name": f"t{number}.png", "answer": answer}
        for number, answer in enumerate(["no", "no", "yes"])
    ]
    (folder / "testset.json").write_text(json.dumps(rows))
    (folder / "trainset.json").write_text(json.dumps(train))
    return folder
