"""The tests: unit (pure), integration (real PostGIS, files, HTTP), acceptance (real clients)."""
