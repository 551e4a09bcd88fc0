"""MONAI bundles: metadata.json tells of channels, inference.json how images are prepared, models/ holds the graph."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from models.experts.contracts import (
    AsIs,
    HounsfieldWindow,
    InputContract,
    MinMax,
    Normalisation,
    Percentiles,
    Size,
    VolumeInput,
    ZScore,
)
from models.experts.decodings import Activation, Classifier, Decoding, Semantic, Volumetric
from models.experts.importing.draft import (
    BY_HAND,
    NEVER_MEASURED,
    CannotImport,
    Channels,
    Draft,
    Graph,
    channels_told,
    json_of,
    labelled,
    licence_in,
    modality_of,
    numbers,
    the_graph,
)
from models.vocabulary import MOST_CHANNELS

EXPORT = (
    "make it by 'python -m monai.bundle onnx_export network_def --filepath models/model.onnx --ckpt_file "
    "models/model.pt --meta_file configs/metadata.json --config_file configs/inference.json' in the bundle"
)
_HARMLESS = {
    "LoadImaged", "EnsureChannelFirstd", "AddChanneld", "AsChannelFirstd", "EnsureTyped", "CastToTyped", "ToTensord",
    "CropForegroundd", "SpatialPadd", "DivisiblePadd", "SelectItemsd", "Orientationd", "Spacingd", "Resized",
}  # fmt: skip
"""Transforms that change no values, or are read elsewhere."""

_BY_WHOLE = {"NormalizeIntensityd", "ScaleIntensityd", "ScaleIntensityRangePercentilesd"}

_TURNED = "MONAI's reader of pictures exchanges rows and columns; here they are as they are seen."

Config = Mapping[str, Any]


def recognises(folder: Path) -> bool:
    """Whether a folder holds a bundle's metadata."""
    return any((folder / part / "metadata.json").is_file() for part in (".", "configs"))


def draft(folder: Path) -> Draft:
    """Segmenters of volumes and pictures, and classifiers of pictures. Raises CannotImport of what cannot be fed."""
    configs = folder / "configs" if (folder / "configs" / "metadata.json").is_file() else folder
    metadata = json_of(configs / "metadata.json")
    if not (configs / "inference.json").is_file():
        raise CannotImport("there is no inference.json, which tells how images are prepared: add the bundle's own")
    config = json_of(configs / "inference.json")
    path = the_graph(folder, EXPORT, "models")
    graph = Graph.read(path)
    takes, gives = _formats(metadata)
    rank, flat = len(graph.takes.shape), len(graph.gives[0].shape) == 2
    channels = takes.get("num_channels", 1)
    if rank not in (4, 5) or channels not in ((1, 3) if rank == 4 else range(1, MOST_CHANNELS + 1)):
        raise CannotImport(
            f"it takes {channels} channels in {rank} axes, which cannot be given to an expert: {BY_HAND}"
        )
    several = _channels(takes, channels) if channels > 1 and rank == 5 else Channels((), (), ())
    transforms = tuple(_transforms(config, "preprocessing"))
    if several.names and (mixed := [name for one in transforms if _mixes_channels(name := _name(one), one)]):
        raise CannotImport(f"its transform {mixed[0]!r} normalises all channels as one: {BY_HAND}")
    labels, background = labelled({int(index): str(name) for index, name in (gives.get("channel_def") or {}).items()})
    modality = modality_of(takes.get("modality"))
    output, activation = graph.gives[0].name, _activation(config, len(labels) + len(background))
    decoding: Decoding
    volume: VolumeInput | None = None
    size = Size(policy="keep")
    if rank == 5:
        volume = _volume(config, transforms, takes)
        decoding = Volumetric(kind="volume", output=output, activation=activation, background=background)
    else:
        size = _size(config, transforms, takes)
        decoding = (
            Classifier(kind="classifier", output=output, activation=activation, background=background)
            if flat
            else Semantic(kind="semantic", output=output, activation=activation, background=background)
        )
    return Draft(
        graph=path,
        name=folder.resolve().name,
        version=str(metadata.get("version", "1.0.0")),
        title=str(metadata.get("task") or metadata.get("name") or folder.resolve().name),
        made=str(metadata.get("description") or "A MONAI bundle.").strip(),
        source=str(next(iter(metadata.get("references") or []), metadata.get("authors") or "MONAI bundle")),
        licence=cast(str | None, metadata.get("license")) or licence_in(folder),
        modalities=several.modalities or ((modality,) if modality else ()),
        input=InputContract(
            units=("HU",) if modality == "CT" and not several.names else (),
            channels=several.names or (3 if channels == 3 else 1),
            polarity="value",
            shortest_side=16,
            longest_side=8192,
            name=graph.takes.name,
            grey_as_colour=channels == 3 and rank == 4,
            size=size,
            normalisation=_normalisation(transforms),
            volume=volume,
        ),
        decoding=decoding,
        labels=labels,
        limits=(NEVER_MEASURED, *several.limits) if rank == 5 else (NEVER_MEASURED, _TURNED),
        lies_as_files_do=volume is not None and volume.axes is None,
    )


def _channels(takes: Config, count: int) -> Channels:
    told = cast(Config, takes.get("channel_def") or {})
    return channels_told([str(told.get(str(n), f"channel {n + 1}")) for n in range(count)])


def _mixes_channels(name: str, transform: Config) -> bool:
    """Whether it takes lowest, highest or mean value of all channels together."""
    return name in _BY_WHOLE and transform.get("channel_wise") is not True


def _formats(metadata: Config) -> tuple[Config, Config]:
    told = cast(Config, metadata.get("network_data_format") or {})
    takes, gives = cast(Config, told.get("inputs") or {}), cast(Config, told.get("outputs") or {})
    if len(takes) != 1 or not gives:
        raise CannotImport(
            f"metadata.json tells of {len(takes)} inputs and {len(gives)} outputs: one of each is needed"
        )
    return next(iter(takes.values())), next(iter(gives.values()))


def _resolved(config: Config, value: Any) -> Any:
    """What a reference ('@roi_size', '@preprocessing#transforms') points at; anything else as it is."""
    for _ in range(8):
        if not (isinstance(value, str) and value.startswith("@")):
            return value
        found: Any = config
        for step in value[1:].replace("::", "#").split("#"):
            if isinstance(found, list) and step.isdecimal() and int(step) < len(cast(list[Any], found)):
                found = cast(list[Any], found)[int(step)]
            else:
                found = cast(Config, found).get(step) if isinstance(found, dict) else None
        value = found
    return None


def _transforms(config: Config, room: str) -> Iterator[Config]:
    """Of a Compose, those that are not switched off. Raises CannotImport where they are a program."""
    compose = _resolved(config, config.get(room))
    listed: Any = _resolved(config, cast(Config, compose).get("transforms")) if isinstance(compose, dict) else None
    if not isinstance(listed, list):
        raise CannotImport(f"{room!r} of inference.json is no list of transforms but a program: {BY_HAND}")
    for one in cast(list[Any], listed):
        found = _resolved(config, one)
        if isinstance(found, dict) and cast(Config, found).get("_disabled_") is not True:
            yield {key: _resolved(config, value) for key, value in cast(Config, found).items()}


def _activation(config: Config, classes: int) -> Activation:
    try:
        after = [one for one in _transforms(config, "postprocessing") if _name(one) == "Activationsd"]
    except CannotImport:
        after = []
    told = after[0] if after else {}
    if told.get("sigmoid"):
        return "sigmoid"
    return "softmax" if told.get("softmax") or classes > 1 else "sigmoid"


def _normalisation(transforms: Sequence[Config]) -> Normalisation:
    found: list[Normalisation] = []
    for one in transforms:
        name = _name(one)
        if name == "ScaleIntensityRanged":
            low, high = numbers([one.get("a_min"), one.get("a_max")], 2, f"a_min, a_max of {name}")
            found.append(HounsfieldWindow(kind="window", low=low, high=high, to=_to(one, "b_min", "b_max")))
        elif name == "ScaleIntensityRangePercentilesd":
            low, high = numbers([one.get("lower"), one.get("upper")], 2, f"lower, upper of {name}")
            found.append(Percentiles(kind="percentile", low=low, high=high, to=_to(one, "b_min", "b_max")))
        elif name == "ScaleIntensityd":
            found.append(MinMax(kind="min-max", to=_to(one, "minv", "maxv")))
        elif name == "NormalizeIntensityd":
            mean, deviation = one.get("subtrahend"), one.get("divisor")
            if isinstance(mean, list) or isinstance(deviation, list):
                raise CannotImport(f"{name} has numbers for each channel: {BY_HAND}")
            found.append(ZScore(kind="z-score", mean=mean, deviation=deviation, positive=bool(one.get("nonzero"))))
        elif name not in _HARMLESS:
            raise CannotImport(f"an expert's input cannot be brought through its transform {name!r}: {BY_HAND}")
    if len(found) > 1:
        raise CannotImport(f"its values are normalised more than once: {BY_HAND}")
    return found[0] if found else AsIs()


def _to(transform: Config, low: str, high: str) -> tuple[float, float]:
    first, last = (transform.get(low), transform.get(high))
    return (0.0 if first is None else float(first), 1.0 if last is None else float(last))


def _name(transform: Config) -> str:
    """Of a transform of dictionaries, in the one of its spellings that ends with d."""
    name = str(transform.get("_target_")).rpartition(".")[2]
    return f"{name[:-4]}d" if name.endswith("Dict") else f"{name[:-1]}d" if name.endswith("D") else name


def _one(transforms: Sequence[Config], name: str) -> Config:
    return next((one for one in transforms if _name(one) == name), {})


def _roi(config: Config, sides: int) -> tuple[int, ...] | None:
    inferer = cast(Config, _resolved(config, config.get("inferer")) or {})
    told = _resolved(config, inferer.get("roi_size"))
    return tuple(int(one) for one in numbers(told, sides, "roi_size of the inferer")) if told is not None else None


def _overlap(config: Config) -> float:
    told = _resolved(config, cast(Config, _resolved(config, config.get("inferer")) or {}).get("overlap"))
    return float(told) if isinstance(told, int | float) else 0.25


def _volume(config: Config, transforms: Sequence[Config], takes: Config) -> VolumeInput:
    if _one(transforms, "Resized"):
        raise CannotImport(f"it takes whole volumes brought to one size (Resized), not windows: {BY_HAND}")
    patch = _roi(config, 3) or tuple(
        int(one) for one in numbers(takes.get("spatial_shape"), 3, "spatial_shape of metadata.json")
    )
    axes, spacing = _one(transforms, "Orientationd").get("axcodes"), _one(transforms, "Spacingd").get("pixdim")
    if spacing is not None:
        spacing = numbers(spacing, 3, "pixdim of Spacingd")
    return VolumeInput(
        axes="".join(axes) if axes else None,
        spacing_mm=(spacing[0], spacing[1], spacing[2]) if spacing else None,
        patch=(patch[0], patch[1], patch[2]),
        overlap=_overlap(config),
    )


def _size(config: Config, transforms: Sequence[Config], takes: Config) -> Size:
    resized = _one(transforms, "Resized").get("spatial_size")
    if resized is None and (roi := _roi(config, 2)) is not None:
        return Size(policy="tiles", height=roi[0], width=roi[1], overlap=_overlap(config))
    wanted = resized if resized is not None else takes.get("spatial_shape")
    height, width = (int(one) for one in numbers(wanted, 2, "spatial_shape of metadata.json"))
    return Size(policy="stretch", height=height, width=width)
