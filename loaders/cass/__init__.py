"""Topographic drawings as CASS writes them: a DXF whose layers and feature codes make it a map."""
