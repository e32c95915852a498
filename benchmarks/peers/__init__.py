"""CPU of a request, beside four other servers of OGC API - Features that read the same PostGIS."""

from benchmarks.peers.table import measure

__all__ = ["measure"]
