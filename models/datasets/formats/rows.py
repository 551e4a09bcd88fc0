"""One image as a row of TRL's conversational form: without its picture, which each carrier has in its own way."""

from typing import Any

from models.datasets.conversations import Conversation, corners, listed
from schemas.shapes import Box
from schemas.triplets import Triplet

_TEXT = {"dtype": "string", "_type": "Value"}
FEATURES: dict[str, Any] = {
    "images": {"feature": {"_type": "Image"}, "_type": "List"},
    "messages": {
        "feature": {"role": _TEXT, "content": {"feature": {"type": _TEXT, "text": _TEXT}, "_type": "List"}},
        "_type": "List",
    },
    "kinds": {"feature": _TEXT, "_type": "List"},
    **dict.fromkeys(("caption", "description", "triplet_id", "image_id", "modality", "organ", "disease"), _TEXT),
    "width": {"dtype": "int32", "_type": "Value"},
    "height": {"dtype": "int32", "_type": "Value"},
}
"""As Hugging Face's `datasets` writes the types of columns."""


def row_of(triplet: Triplet, conversation: Conversation) -> dict[str, Any]:
    """The columns but `images`; boxes in the text are px: left, top, right, bottom."""
    messages: list[dict[str, Any]] = []
    for turn in conversation.turns:
        question, answer = turn.rendered(_box)
        asked: list[dict[str, str | None]] = [{"type": "text", "text": question}]
        if not messages:
            asked.insert(0, {"type": "image", "text": None})
        messages.append({"role": "user", "content": asked})
        messages.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
    caption = triplet.description.caption
    return {
        "messages": messages,
        "kinds": list(conversation.kinds),
        "caption": caption.text if caption else None,
        "description": triplet.description.description,
        "triplet_id": triplet.triplet_id,
        "image_id": triplet.image_id,
        "modality": triplet.metadata.modality,
        "organ": triplet.metadata.organ,
        "disease": triplet.metadata.disease,
        "width": triplet.image.columns,
        "height": triplet.image.rows,
    }


def _box(box: Box) -> str:
    return listed(corners(box))
