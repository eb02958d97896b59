"""Figures that papers of the field have published, as data; see :mod:`seqdis.eval.published.tables`."""

from seqdis.eval.published.tables import PAPERS, PublishedFigure, PublishedTable, figures, tables

__all__ = ["PAPERS", "PublishedFigure", "PublishedTable", "figures", "tables"]
