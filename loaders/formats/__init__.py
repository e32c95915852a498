"""One module a format: is it whole, what encoding, what must be done before GDAL may open it."""
