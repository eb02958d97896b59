from __future__ import annotations

from typing import Any

import pytest
from tests.eval.named import named

from seqdis.core.data.labels import Label
from seqdis.core.metric import Direction, Estimate
from seqdis.core.results import ResultRecord
from seqdis.eval.report.blocks import HeatCell, MetricRow
from seqdis.eval.report.measured import case_tables, metric_table, published_beside, published_tables
from seqdis.eval.report.probes import probe_heat_map


def record(dataset: str, *, protocol: str | None = None, **metrics: Estimate) -> ResultRecord:
    values: dict[str, Any] = {"name": "x", "method": "m", "modality": "v", "command": "c", "seed": 0}
    return ResultRecord(
        **values,
        dataset=dataset,
        protocol=protocol,
        device="cpu",
        wall_seconds=1.0,
        versions={},
        metrics=named(metrics),
    )


def test_published_figures_stand_beside_once_each_and_in_their_exact_form() -> None:
    found = {f.method: f.text for f in published_beside("ett", "mae")}
    assert found["GLR"] == "12.27 ± 0.03"  # Tab. 14, not the 12.3 of Tab. 5
    assert found["DiffSDA"] == "9.89 ± 0.280"
    assert {"VAE", "GP-VAE", "random forest"} < set(found)
    assert published_beside("waves", "mae") == ()
    assert all(not f.variant for f in published_beside("lrs3", "fid"))


def test_published_figures_are_those_of_the_protocol() -> None:
    swapped, rebuilt = (
        {f.table: f.value for f in published_beside("mug", "aed", protocol) if f.method == "DiffSDA"}
        for protocol in ("swap", "reconstruction")
    )
    assert list(swapped.values()) == [0.751]  # Tab. 2
    assert list(rebuilt.values()) == [0.11]  # Tab. 3
    assert published_beside("mug", "aed") == ()  # of which of the two is not known
    table = metric_table("c", {"a": record("mug", protocol="swap", aed=Estimate(value=0.8))})
    assert {f.protocol for f in table.rows[0].published} == {"swap"}


def test_rows_are_metrics_and_columns_are_records() -> None:
    mae, gain = Estimate(value=11.0, direction="lower"), Estimate(value=0.5, chance=0.1)
    table = metric_table("c", {"a": record("ett", mae=mae, gain=gain), "b": record("ett", mae=mae)})
    assert table.columns == ["a", "b"]
    assert [(row.name, list(row.metrics)) for row in table.rows] == [
        ("mae", [named({"mae": mae})["mae"]] * 2),
        ("gain", [named({"gain": gain})["gain"], None]),
    ]
    ranked = table.rows[0].ranked()
    assert [ranked[0].method, ranked[-1].method] == ["DiffSDA", "GP-VAE"]
    assert table.has_published
    assert not table.rows[1].published


def test_cases_are_rows_of_a_table_of_their_own() -> None:
    metrics = {
        "mse@edm 4": Estimate(value=0.5, direction="lower"),
        "mse@edm 63": Estimate(value=0.25, direction="lower"),
        "swap_accuracy@edm 4": Estimate(value=0.75),
        "plain": Estimate(value=1.0),
    }
    records = {"a": record("x", **metrics), "b": record("x", plain=Estimate(value=2.0))}
    assert [row.name for row in metric_table("c", records).rows] == ["plain"]
    (table,) = case_tables(records)
    assert (table.caption, table.folded) == ("a: 2 cases", True)
    assert table.head == ["case", "mse ↓", "swap accuracy ↑"]
    assert table.rows == [["edm 4", "0.5", "0.75"], ["edm 63", "0.25", "–"]]


def test_the_best_is_marked_in_the_metrics_direction() -> None:
    low, high = (Estimate(value=v).named("x", role="swap") for v in (1.0, 2.0))
    assert MetricRow("x", [low, high, None]).best is high
    assert MetricRow("x", [low, None]).best is None
    table = metric_table(
        "c",
        {
            name: record("x", probe_a_from_static=Estimate(value=1.0), mse=Estimate(value=1.0))
            for name in "ab"
        },
    )
    assert [row.best for row in table.rows] == [None, low.named("mse", role="swap")]
    low, high = (Estimate(value=v, direction="lower").named("x", role="swap") for v in (1.0, 2.0))
    assert MetricRow("x", [high, low]).best is low


def test_bars_are_for_shares_alone() -> None:
    def row(
        value: float = 0.5,
        *,
        unit: str = "share",
        direction: Direction = "higher",
        chance: float | None = 0.1,
    ) -> MetricRow:
        figure = Estimate(value=value, unit=unit, direction=direction, chance=chance)
        return MetricRow("x", [figure.named("x", role="swap"), None])

    assert row().is_share
    assert not row(chance=None).is_share
    assert not row(unit="cosine").is_share
    assert not row(1.5).is_share
    assert not row(direction="lower").is_share


def test_all_tables_of_a_dataset_are_folded_below() -> None:
    tables = published_tables(["timit"])
    assert [t.caption for t in tables] == [
        "Published on timit: speaker (DiffSDA, Tab. 4)",
        "Published on timit: speaker (DiffSDA, Tab. 16)",
        "Published on timit: speaker (S3VAE, Tab. 3)",
    ]
    assert tables[2].rows[0] == ["FHVAE", "5.06%", "–"]
    assert published_tables(["waves"]) == []


@pytest.mark.parametrize(
    ("value", "chance", "strength"), [(0.25, 0.25, 0), (1.0, 0.25, 1), (0.1, 0.25, 0), (0.625, 0.25, 0.5), (1, 1, 0)]
)  # fmt: skip
def test_colour_counts_from_chance(value: float, chance: float, strength: float) -> None:
    assert HeatCell(Estimate(value=value, chance=chance), True).strength == pytest.approx(strength)


def test_every_label_is_read_from_every_factor() -> None:
    labels = {"word": Label(("a", "b"), "dynamic"), "speaker": Label(("x", "y"), "static")}
    read = [(name, side) for name in labels for side in ("static", "dynamic")]
    probes = {one: Estimate(value=0.1 * i, chance=0.5) for i, one in enumerate(read)}
    found = probe_heat_map(probes, labels)
    assert found is not None
    assert [(name, side) for name, side, _ in found.rows] == [("speaker", "static"), ("word", "dynamic")]
    assert [[c.wanted for c in cells] for *_, cells in found.rows] == [[True, False], [False, True]]
    assert [c.metric.value for c in found.rows[0][2]] == pytest.approx([0.2, 0.3])
    assert probe_heat_map({}, labels) is None
