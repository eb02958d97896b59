"""Decoded frames as RGB pixels, by ffmpeg's own conversion."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

__all__ = ["RgbConverter"]


class RgbConverter:
    """Converts frames to 8-bit RGB as ``ffmpeg`` does: by the file's colour matrix, range and place of chroma."""

    def __init__(self) -> None:
        self._graphs: dict[tuple[object, ...], av.filter.Graph] = {}

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """The pixels of a frame as it is stored, ``(H, W, 3)`` uint8."""
        # A stream may change its size midway, and a graph takes one kind of frame.
        kind = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range)
        graph = self._graphs.get(kind)
        if graph is None:
            graph = self._graphs[kind] = _graph(frame)
        graph.push(frame)
        converted = graph.pull()
        if not isinstance(converted, av.VideoFrame):
            raise TypeError(f"the conversion to RGB gave {type(converted).__name__}")
        return converted.to_ndarray()


def _graph(frame: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    if hasattr(graph, "threads"):  # older releases of PyAV have no such setting
        graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1)
    )
    convert, sink = graph.add("format", "rgb24"), graph.add("buffersink")
    source.link_to(convert)
    convert.link_to(sink)
    graph.configure()
    return graph
