"""The forms that features go out in, beside GeoJSON: texts that are sent as they are read, and files."""
