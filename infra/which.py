"""From an object's name back to its file, for who has the key: the name is computed anew of what may be meant."""

from collections.abc import Iterable
from pathlib import Path

from agents.settings import Settings
from infra.annotate import find_files
from streams.buckets import folder_of
from streams.buckets.references import path_of, refer, reference_to


def among_files(object_id: str, paths: Iterable[Path], settings: Settings) -> list[str]:
    """The files among paths, and in folders below them, that a name stands for.

    Each is tried as an object of every folder above it: any of them may have been the inbox that it was found in.
    """
    identity, found = settings.identity, list[str]()
    for file in find_files(paths):
        state = reference_to(file, Path(file.anchor), settings.limits.file_bytes)
        names = (identity.object_id(refer(file, folder, state.etag, state.size)) for folder in file.parents)
        if object_id in names:
            found.append(str(file))
    return found


def on_topic(object_id: str, settings: Settings) -> list[str]:
    """Where the object lies that a name stands for, among those that a pipeline was told of.

    Raises:
        Unavailable: Kafka does not answer.
    """
    from infra.announce import known_objects

    reference = known_objects(settings).get(object_id)
    if reference is None:
        return []
    return [str(path_of(reference)) if folder_of(reference.bucket) else f"{reference.bucket}/{reference.key}"]
