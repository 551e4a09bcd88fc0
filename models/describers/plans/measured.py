"""Regions in numbers, for who wants them."""

from models.describers.plans.plan import Plan
from models.statements import claims as c
from models.statements import writing as w
from models.statements.voice import Voice
from models.statements.writing import Piece
from schemas.regions import Region


def measurements(region: Region) -> Plan:
    """What was measured of a region, in numbers."""

    def plan(voice: Voice) -> Piece | None:
        ids = (region.region_id,)
        made: list[c.Claim] = []
        parts: list[str] = []

        def tell(pattern: str, measure: str, values: tuple[float, ...], unit: str) -> None:
            said = tuple(w.two_figures(value) for value in values)
            decimals = min(len(one.partition(".")[2]) for one in said)
            made.append(
                c.Size(regions=ids, measure=measure, values=tuple(map(float, said)), unit=unit, decimals=decimals)
            )
            parts.append(pattern.format(*said))

        if region.size is not None and region.size.unit == "mm" and region.size.shortest_axis >= 0.1:
            tell("measures {} × {} mm", "", (region.size.longest_axis, region.size.shortest_axis), "mm")
        if region.area_mm2 is not None and region.area_mm2 >= 0.1:
            large = region.area_mm2 >= 100
            tell(
                "covers {} cm²" if large else "covers {} mm²",
                "",
                (region.area_mm2 / 100 if large else region.area_mm2,),
                "cm²" if large else "mm²",
            )
        if region.intensity.unit in ("HU", "SUVbw"):
            unit = "HU" if region.intensity.unit == "HU" else "SUV"
            tell(
                "has a mean of {} HU" if unit == "HU" else "has a mean SUV of {}",
                "mean",
                (region.intensity.mean,),
                unit,
            )
        if region.place is not None and region.place.within == "image" and region.place.share_percent >= 0.01:
            tell("takes up {}% of the image", "image", (region.place.share_percent,), "%")
        return Piece(f"region {region.region_id} {w.joined(parts)}", tuple(made)) if parts else None

    return plan
