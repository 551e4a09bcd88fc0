"""The front door: `tristream` and its commands. Parses, calls, prints; the work is elsewhere."""

import click

from infra.cli.annotate import annotate, which
from infra.cli.datasets import dataset
from infra.cli.describe import describe_eval
from infra.cli.evaluate import evaluate
from infra.cli.experts import experts
from infra.cli.files import deidentify, gallery, verify
from infra.cli.knowledge import knowledge
from infra.cli.pipeline import up, worker
from infra.cli.promote import model
from infra.cli.search import search
from infra.cli.source import source
from infra.cli.topics import dead_letters, gather, replay, resume, status, triplets, volumes
from infra.cli.train import train
from infra.cli.worth import worth


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tristream")
def main() -> None:
    """A stream of medical images in, image–ROI–description triplets out."""


COMMANDS = (
    annotate, dataset, dead_letters, deidentify, describe_eval, evaluate, experts, gallery, gather, knowledge, model,
    replay, resume, search, source, status, train, triplets, up, verify, volumes, which, worker,
)  # fmt: skip
for command in COMMANDS:
    main.add_command(command)
dataset.add_command(worth)
