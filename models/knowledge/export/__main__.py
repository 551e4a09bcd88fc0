"""Exports MedCPT, or an encoder of its shape: `python -m models.knowledge.export QUERY ARTICLE OUT [NAME]`.

QUERY and ARTICLE are folders of BERT models as `transformers` saves them, such as copies of ncbi/MedCPT-Query-Encoder
and ncbi/MedCPT-Article-Encoder. Nothing is downloaded. Knows no passages.
"""

import sys
from pathlib import Path

import torch
from torch import nn
from transformers import BertModel, BertTokenizerFast

from models.knowledge.folders import write_folder
from models.onnx_files import exported

QUERY_LENGTH, ARTICLE_LENGTH = 64, 512
"""Most tokens, as in MedCPT's own examples."""


class Tower(nn.Module):
    """int64 (n, tokens) ids, mask and types → float32 (n, dimensions): the last layer at [CLS]."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor):
        found = self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return found.last_hidden_state[:, 0]


def tower(folder: Path) -> Tower:
    """The tower in a folder, in float32. The plain attention: what the exporter writes is then plain too."""
    return Tower(BertModel.from_pretrained(folder, attn_implementation="eager", local_files_only=True)).float().eval()


def graph(module: Tower) -> bytes:
    """Its ONNX file: any number of texts and tokens."""
    texts, tokens = torch.export.Dim("texts", min=1), torch.export.Dim("tokens", min=3)
    most = module.bert.config.vocab_size
    ids = torch.randint(0, most, (2, 8))
    return exported(
        module,
        (ids, torch.ones_like(ids), torch.zeros_like(ids)),
        takes=["input_ids", "attention_mask", "token_type_ids"],
        gives=["vector"],
        axes=({0: texts, 1: tokens},) * 3,
        name="tower",
    )


def export(query: Path, article: Path, out: Path, name: str = "medcpt") -> None:
    """Write query.onnx, article.onnx, tokenizer.json and encoder.toml into `out`."""
    towers = tower(query), tower(article)
    sizes = {module.bert.config.hidden_size for module in towers}
    if len(sizes) != 1:
        sys.exit("the towers give vectors of different sizes; they are not of one encoder")
    vocabularies = [BertTokenizerFast.from_pretrained(folder, local_files_only=True) for folder in (query, article)]
    if vocabularies[0].get_vocab() != vocabularies[1].get_vocab():
        sys.exit("the towers have different vocabularies; they are not of one encoder")
    backend = vocabularies[0].backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    files = {
        "query.onnx": graph(towers[0]),
        "article.onnx": graph(towers[1]),
        "tokenizer.json": backend.to_str().encode(),
    }
    table = {
        "name": name,
        "source": f"{query.name} and {article.name}",
        "dimensions": sizes.pop(),
        "query_length": QUERY_LENGTH,
        "article_length": ARTICLE_LENGTH,
    }
    write_folder(out, table, files)
    sys.stdout.writelines(f"{file}: {len(data):,} bytes\n" for file, data in files.items())


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    export(*map(Path, sys.argv[1:4]), *sys.argv[4:])
