"""The process grid-cell-query: how many features of a data set, and what area or length, lie in each cell of a grid."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from core.database import speaking_plainly
from core.language import Text
from features.filters import parse
from processes.area import Area
from processes.base import Described, InputProblem, Inputs, JsonObject, Processor
from processes.cells import Wish, fill

MAX_CELLS = 10_000
_EXAMPLE = {"dataset": "parcels", "grid": "square", "size": 1000, "area": [126.50, 43.80, 126.60, 43.88]}


class CellInputs(Inputs):
    """What to count, where, and in what cells."""

    dataset: Annotated[
        str,
        Described(Text("Data set", "数据集"), Text("The id of a feature collection.", "要素集合的编号。")),
        Field(max_length=48),
    ]
    filter: Annotated[
        str | None,
        Described(
            Text("Filter", "过滤条件"),
            Text("CQL2 text; only features that match are counted.", "CQL2 文本;只统计符合条件的要素。"),
        ),
    ] = None
    area: Annotated[
        Area | None,
        Described(
            Text("Area", "范围"),
            Text(
                "A GeoJSON Polygon or MultiPolygon, or a bounding box [west, south, east, north], in CRS84 (lon, lat). "
                "Features are cut at its edge. Left out: all of the data set.",
                "GeoJSON Polygon 或 MultiPolygon,或边界框 [西, 南, 东, 北],CRS84(经度, 纬度)。"
                "要素按其边界裁切。省略则为整个数据集。",
            ),
        ),
    ] = None
    grid: Annotated[
        Literal["square", "h3"],
        Described(
            Text("Grid", "网格"),
            Text("Squares in the city's plane CRS, or H3 hexagons.", "城市平面坐标系中的方格,或 H3 六边形。"),
        ),
    ] = "square"
    size: Annotated[
        int | None,
        Described(
            Text("Size", "边长"), Text("Side of a square in metres; 1000 if left out.", "方格边长(米),默认 1000。")
        ),
        Field(ge=1, le=1_000_000),
    ] = None
    resolution: Annotated[
        int | None,
        Described(Text("Resolution", "分辨率"), Text("Of H3, 0 to 15; 8 if left out.", "H3 分辨率 0 至 15,默认 8。")),
        Field(ge=0, le=15),
    ] = None
    empty: Annotated[
        bool,
        Described(
            Text("Empty cells", "空网格"),
            Text("Whether cells without features are listed too.", "是否列出没有要素的网格。"),
        ),
    ] = False
    limit: Annotated[
        int,
        Described(
            Text("Limit", "上限"),
            Text("Refuse areas of more cells than this.", "范围内网格数超过此值则拒绝。"),
        ),
        Field(ge=1, le=MAX_CELLS),
    ] = MAX_CELLS

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.grid == "h3" and self.size is not None:
            raise InputProblem("size is for squares; H3 has a resolution", "size 只用于方格;H3 请用 resolution")
        if self.grid == "square" and self.resolution is not None:
            raise InputProblem("resolution is for H3; squares have a size", "resolution 只用于 H3;方格请用 size")
        return self


class GridCellQuery(Processor[CellInputs]):
    """Counts and measures the features of a data set by cell."""

    inputs = CellInputs
    media_type = "application/geo+json"
    described: ClassVar[JsonObject] = {
        "version": "1.0.0",
        "id": "grid-cell-query",
        "title": {"en": "Features by grid cell", "zh": "网格统计"},
        "description": {
            "en": "For a data set, an optional filter and an area: how many features, and what area or length of them, "
            "lie in each cell of a square or H3 grid. Measured in the plane CRS that `grid` in the answer names.",
            "zh": "按数据集、可选的过滤条件和范围,统计方格或 H3 网格每个单元内的要素数量及其面积或长度。"
            "量算所用的平面坐标系见结果中的 `grid`。",
        },
        "keywords": ["grid", "statistics", "H3", "网格", "统计"],
        "outputs": {
            "cells": {
                "title": {"en": "Cells", "zh": "网格"},
                "description": {
                    "en": "GeoJSON in CRS84: a polygon a cell, with count, and area_m2 or length_m.",
                    "zh": "CRS84 的 GeoJSON:每个网格一个多边形,含 count 以及 area_m2 或 length_m。",
                },
                "schema": {"type": "object", "contentMediaType": "application/geo+json"},
            }
        },
        "example": {"inputs": _EXAMPLE},
    }

    def run(self, inputs: CellInputs) -> JsonObject:
        """Fill the cells, from one state of the data set."""
        wish = Wish(
            filter=None if inputs.filter is None else parse(inputs.filter),
            area=inputs.area,
            size=(inputs.size or 1000) if inputs.grid == "square" else None,
            resolution=8 if inputs.resolution is None else inputs.resolution,
            empty=inputs.empty,
            limit=inputs.limit,
        )
        with speaking_plainly():
            return fill(self.door.pool, inputs.dataset, wish)
