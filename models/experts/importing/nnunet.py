"""Folders of nnU-Net v2: dataset.json, plans.json, and an ONNX file exported from a fold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from models.experts.contracts import AsIs, FullRange, InputContract, MinMax, Normalisation, Size, VolumeInput, ZScore
from models.experts.decodings import Decoding, Semantic, Volumetric
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
    modality_of,
    numbers,
    the_graph,
)

EXPORT = (
    "load the fold by nnUNetPredictor.initialize_from_trained_model_folder, and write its predictor.network by "
    "torch.onnx.export(network, torch.zeros(1, channels, *patch_size), 'model.onnx', input_names=['image'], "
    "output_names=['logits'])"
)
_OF_READER = {"NibabelIOWithReorient": "SAR"}


def recognises(folder: Path) -> bool:
    """Whether a folder holds nnU-Net's two files."""
    return (folder / "dataset.json").is_file() and (folder / "plans.json").is_file()


def draft(folder: Path) -> Draft:
    """3d_fullres or 2d, by the rank of the graph's input. Raises CannotImport of what cannot be fed."""
    dataset, plans = json_of(folder / "dataset.json"), json_of(folder / "plans.json")
    path = the_graph(folder, EXPORT, "fold_all", *(f"fold_{n}" for n in range(5)))
    graph = Graph.read(path)
    rank = len(graph.takes.shape)
    name = {4: "2d", 5: "3d_fullres"}.get(rank, "")
    configurations = cast(Mapping[str, Any], plans.get("configurations", {}))
    if name not in configurations:
        raise CannotImport(f"its input has {rank} axes, and plans.json has no configuration {name!r} for it: {BY_HAND}")
    plan = cast(Mapping[str, Any], configurations[name])
    channels = cast(Mapping[str, str], dataset.get("channel_names") or dataset.get("modality") or {})
    colour = len(channels) == 3 and rank == 4
    if not channels or (len(channels) > 1 and rank == 4 and not colour):
        raise CannotImport(
            f"it takes {len(channels)} channels ({', '.join(channels.values())}) in two dimensions, which cannot be "
            "given to an expert: export 3d_fullres, or train on one of them"
        )
    told = list(channels.values())
    several = channels_told(told) if len(told) > 1 and not colour else Channels((), (), ())
    modality = modality_of(told[0])
    normalisation, others = _normalisations(plan, plans, several.names)
    labels, background, regions = _labels(cast(Mapping[str, Any], dataset.get("labels", {})))
    output = graph.gives[0].name
    activation = "sigmoid" if regions else "softmax"
    sides = 3 if rank == 5 else 2
    patch = tuple(int(one) for one in numbers(plan.get("patch_size"), sides, "patch_size"))
    spacing = numbers(plan.get("spacing"), sides, "spacing")
    decoding: Decoding
    volume: VolumeInput | None = None
    if rank == 5:
        volume = VolumeInput(
            axes=_axes(plans),
            spacing_mm=(spacing[0], spacing[1], spacing[2]),
            patch=(patch[0], patch[1], patch[2]),
            overlap=0.5,
            normalisations=others,
        )
        decoding = Volumetric(kind="volume", output=output, activation=activation, background=background)
        size, spacing_mm = Size(policy="keep"), None
    else:
        if abs(spacing[0] - spacing[1]) > 0.01 * max(spacing):
            raise CannotImport(f"its spacing of {list(spacing)} mm differs down and across: {BY_HAND}")
        decoding = Semantic(kind="semantic", output=output, activation=activation, background=background)
        size, spacing_mm = Size(policy="tiles", height=patch[0], width=patch[1], overlap=0.5), spacing[0]
    return Draft(
        graph=path,
        name=str(plans.get("dataset_name") or folder.resolve().name),
        version="1.0.0",
        title=f"nnU-Net {name} of {', '.join(label.name for label in labels[:4])}",
        made=f"nnU-Net v2, {plans.get('plans_name', 'plans')}, {name}; {dataset.get('numTraining', '?')} images.",
        source=str(dataset.get("reference") or dataset.get("name") or plans.get("dataset_name") or "nnU-Net"),
        licence=cast(str | None, dataset.get("licence") or dataset.get("license")),
        modalities=several.modalities or ((modality,) if modality else ()),
        input=InputContract(
            units=("HU",) if modality == "CT" and not several.names else (),
            channels=several.names or (3 if colour else 1),
            polarity="value",
            shortest_side=16,
            longest_side=8192,
            name=graph.takes.name,
            size=size,
            spacing_mm=None if colour else spacing_mm,
            normalisation=normalisation,
            volume=volume,
        ),
        decoding=decoding,
        labels=labels,
        limits=(
            NEVER_MEASURED,
            "One fold, without mirroring, resampled linearly: nnU-Net's own averages and splines.",
            *several.limits,
        ),
    )


def _labels(told: Mapping[str, Any]) -> tuple[Any, tuple[int, ...], bool]:
    """Labels, background, and whether it was trained by regions, whose channels overlap and have no background."""
    named = {name: value for name, value in told.items() if name != "ignore"}
    if any(isinstance(value, list) for value in named.values()):
        regions = [name for name in named if name != "background"]
        return labelled(dict(enumerate(regions)))[0], (), True
    labels, background = labelled({int(value): name for name, value in named.items()})
    return labels, background, False


def _axes(plans: Mapping[str, Any]) -> str | None:
    axes = _OF_READER.get(str(plans.get("image_reader_writer")))
    order = [int(one) for one in numbers(plans.get("transpose_forward", [0, 1, 2]), 3, "transpose_forward")]
    if axes is None and order != [0, 1, 2]:
        raise CannotImport(
            f"its axes are exchanged ({order}), and its reader {plans.get('image_reader_writer')!r} does not tell how "
            f"they lie in the patient: {BY_HAND}"
        )
    return "".join(axes[one] for one in order) if axes else None


def _normalisations(
    plan: Mapping[str, Any], plans: Mapping[str, Any], names: tuple[str, ...]
) -> tuple[Normalisation, dict[str, Normalisation]]:
    """That of most channels, and those of others, by name."""
    each = [_normalisation(plan, plans, channel) for channel in range(max(1, len(names)))]
    # An override that is none cannot be written: it has no field but its kind.
    usual = AsIs() if AsIs() in each else max(each, key=each.count)
    return usual, {name: one for name, one in zip(names, each, strict=False) if one != usual}


def _normalisation(plan: Mapping[str, Any], plans: Mapping[str, Any], channel: int) -> Normalisation:
    schemes, masked = (list[Any](plan.get(key) or []) for key in ("normalization_schemes", "use_mask_for_norm"))
    scheme = str(schemes[channel]) if channel < len(schemes) else "?"
    if scheme == "CTNormalization":
        seen = cast(Mapping[str, Any], plans.get("foreground_intensity_properties_per_channel", {}))
        seen = cast(Mapping[str, Any], seen.get(str(channel), {}))
        keys = ("mean", "std", "percentile_00_5", "percentile_99_5")
        mean, deviation, low, high = numbers([seen.get(key) for key in keys], 4, f"{', '.join(keys)} of plans.json")
        return ZScore(kind="z-score", mean=mean, deviation=deviation, low=low, high=high)
    if scheme == "ZScoreNormalization":
        return ZScore(kind="z-score", positive=bool(channel < len(masked) and masked[channel]))
    others: dict[str, Normalisation] = {
        "NoNormalization": AsIs(),
        "RescaleTo01Normalization": MinMax(kind="min-max"),
        "RGBTo01Normalization": FullRange(kind="full range"),
    }
    if scheme not in others:
        raise CannotImport(f"its normalisation {scheme!r} is none of nnU-Net's own: {BY_HAND}")
    return others[scheme]
