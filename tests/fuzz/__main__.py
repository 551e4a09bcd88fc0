"""Fuzz the front end: `python -m tests.fuzz --cases 10000`, or make one case's file: `--case N --out FILE`."""

import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from tests.fuzz.mutations import mutant
from tests.fuzz.running import COSTLY, LIMITS, Account, Outcome, in_this_process, run
from tests.fuzz.seeds import seeds

SEED = 20_251_130


@click.command()
@click.option("--seed", default=SEED, show_default=True, help="Decides all cases.")
@click.option("--cases", default=10_000, show_default=True, help="How many to run.")
@click.option("--first", default=0, help="Number of the first.")
@click.option("--processes", default=2, show_default=True, help="In the pool.")
@click.option("--files", multiple=True, type=click.Path(exists=True, path_type=Path), help="More seeds.")
@click.option("--case", type=int, help="Make this case's file only, and say what comes of it in this process.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write it.")
def main(
    seed: int, cases: int, first: int, processes: int, files: tuple[Path, ...], case: int | None, out: Path | None
) -> None:
    """Damaged files through preprocess. Exit status 1 if one of them met a defect."""
    found = seeds(files)
    if case is not None:
        made = mutant(seed, case, found)
        click.echo(f"{made.seed.name} ({made.seed.syntax}), {' + '.join(made.mutations)}, {len(made.data)} bytes")
        if out is not None:
            out.write_bytes(made.data)
        else:
            click.echo(in_this_process(made.data))
        return
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    started, at = time.monotonic(), datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        mutants = (mutant(seed, number, found) for number in range(first, first + cases))
        account = asyncio.run(run(mutants, Path(folder), processes=processes, tell=lambda one: _tell(one, seed)))
    click.echo(f"\n{cases} cases of seed {seed} from {len(found)} files, {at:%Y-%m-%d}, ", nl=False)
    click.echo(f"{time.monotonic() - started:.0f} s, {processes} processes\n")
    click.echo(report(account))
    sys.exit(bool(account.of("defect")) or len(account.outcomes) != cases)


def _tell(outcome: Outcome, seed: int) -> None:
    if outcome.word in ("defect", *COSTLY) or outcome.seconds > LIMITS.cpu_seconds:
        click.echo(
            f"{outcome.word} {outcome.defect} ({outcome.seconds:.1f} s) {outcome.syntax}, {outcome.seed}, "
            f"{' + '.join(outcome.mutations)}: python -m tests.fuzz --seed {seed} --case {outcome.case}"
        )


def report(account: Account) -> str:
    """Tables in Markdown: outcomes, and those that cost a process, by transfer syntax."""
    lines = ["| outcome | cases |", "| --- | --- |"]
    lines += [f"| {word} | {count} |" for word, count in account.words.most_common()]
    total = Counter(outcome.syntax for outcome in account.outcomes)
    lines += ["", f"| syntax of the seed | cases | images | {' | '.join(COSTLY)} |", "| --- " * 6 + "|"]
    for syntax, count in total.most_common():
        mine = Counter(outcome.word for outcome in account.outcomes if outcome.syntax == syntax)
        lines.append(f"| {syntax} | {count} | {mine['images']} | {' | '.join(str(mine[word]) for word in COSTLY)} |")
    slowest = max(account.outcomes, key=lambda outcome: outcome.seconds)
    owner, growth, child = (
        size / 2**20 for size in (max(account.parent_bytes), account.parent_growth, account.child_bytes)
    )
    lines += ["", f"Slowest: case {slowest.case}, {slowest.seconds:.1f} s with its wait for a process."]
    lines += [f"Resident memory, MiB: owner {owner:.0f}, grown by {growth:.0f}; a process between calls {child:.0f}."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
