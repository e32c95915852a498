"""Tiles over HTTP: OGC API - Tiles, and the addresses that web maps use."""
