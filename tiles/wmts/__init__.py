"""WMTS 1.0.0 (OGC 07-057r7), for older clients and for those made for Tianditu: what of it needs no HTTP."""
