"""What the search for burned-in text costs in two versions of this tree, picture by picture, in turns.

    git worktree add OLD COMMIT
    python -m benchmarks.text_versions OLD FOLDER ... [--rounds 3]

Processor milliseconds of one thread for the first frame of each image, the least of rounds in which the two take turns,
and their ratio: machines and loads differ, and the ratio much less.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
_LEFT_OUT = (".json", ".csv", ".md", ".txt")


def answer() -> None:
    """For each path on standard input, one line: ms, rows, columns; or what is wrong with the file."""
    import cv2

    from models.imaging import FramePolicy, open_source, render
    from models.imaging.text import find_text
    from schemas.failures import InvalidInput

    cv2.setNumThreads(1)
    for line in sys.stdin:
        try:
            frame = open_source(Path(line.rstrip("\n")).read_bytes(), FramePolicy(), burned_in=None).read(0)
        except InvalidInput as error:
            print(type(error).__name__, flush=True)
            continue
        view = render(frame.values, frame.window, frame.inverted)
        values = frame.values if frame.stored.dtype.itemsize > 1 and view.ndim == 2 else None
        started = time.thread_time()
        find_text(view, values)
        print(1e3 * (time.thread_time() - started), *view.shape[:2], flush=True)


class Version:
    """A process that searches with the code of one tree."""

    def __init__(self, tree: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"import runpy; runpy.run_path({__file__!r})['answer']()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree, env=environment,
        )  # fmt: skip

    def search(self, path: Path) -> Sequence[str]:
        """What it says of a file."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().split()

    def close(self) -> None:
        """No more files."""
        self._process.communicate()


def main() -> None:
    """Print a row for each image, and the sums by folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="a checkout of another version")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    versions = [Version(tree.resolve()) for tree in (arguments.old, HERE)]
    print("| image | px | before, ms | now, ms | now ÷ before |\n| --- | --- | --- | --- | --- |")
    for folder in arguments.folders:
        sums, over, images = [0.0, 0.0], [0, 0], 0
        for path in sorted(one for one in folder.resolve().rglob("*") if one.is_file()):
            if path.suffix in _LEFT_OUT or any(
                part.startswith(".") for part in path.relative_to(folder.resolve()).parts
            ):
                continue
            rounds = [[version.search(path) for version in versions] for _ in range(arguments.rounds)]
            if len(rounds[0][0]) != 3:
                continue
            least = [min(float(each[at][0]) for each in rounds) for at in (0, 1)]
            rows, columns = rounds[0][0][1:]
            print(
                f"| {path.relative_to(folder.resolve())} | {columns} × {rows} | {least[0]:.0f} | {least[1]:.0f} | "
                f"{least[1] / least[0]:.2f} |",
                flush=True,
            )
            images += 1
            for at in (0, 1):
                sums[at] += least[at]
                over[at] += least[at] > 300
        print(
            f"{folder.name}: {images} images, {sums[0]:.0f} and {sums[1]:.0f} ms, "
            f"ratio {sums[1] / max(sums[0], 1):.2f}; over 300 ms: {over[0]} and {over[1]}"
        )
    for version in versions:
        version.close()


if __name__ == "__main__":
    main()
