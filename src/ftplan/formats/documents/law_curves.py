"""What `compare laws` draws of one series, as a picture and as the numbers behind it."""

from __future__ import annotations

from typing import Any

from ftplan.compare.laws import SeriesLaws
from ftplan.formats.documents import finite
from ftplan.formats.documents.fit import display_name
from ftplan.formats.documents.words import unit_of
from ftplan.formats.plot import Axis, Plot, Series


def picture(series: SeriesLaws) -> Plot:
    """Runs and the curves of the main laws against the amount of data."""
    near, words = series.held.near, series.held.words
    on = f"runs near {words}" if words else "runs"
    points = [(on, near), ("other runs", ~near)]
    data = tuple(series.held.volume.tolist())
    return Plot(
        Axis(f"unique {series.data_unit}", log=True),
        Axis(series.metric.name, unit_of(series.metric).strip()),
        (
            *(
                Series(name, tuple(series.volume[which].tolist()), tuple(series.value[which].tolist()))
                for name, which in points
                if which.any()
            ),
            *(Series(display_name(row.fit.name), data, tuple(row.curve.tolist()), "line") for row in series.main()),
        ),
    )


def curves(series: SeriesLaws) -> dict[str, Any]:
    """The picture as plain values: what is held, the runs, and each main law along the same amounts of data."""
    held, metric = series.held, series.metric.name
    facts = {name: finite(getattr(held, name)) for name in ("avg_tokens", "model_params", "epochs")}
    runs = zip(series.volume.tolist(), series.value.tolist(), held.near.tolist(), strict=True)
    return {
        "runs": series.source,
        "series": series.key,
        "metric": metric,
        "data_unit": series.data_unit,
        "held": {name: value for name, value in facts.items() if value is not None},
        "measured": [{"data": data, "value": value, "near": near} for data, value, near in runs],
        "data": held.volume.tolist(),
        "laws": [{"law": row.fit.name, "values": [finite(v) for v in row.curve.tolist()]} for row in series.main()],
    }
