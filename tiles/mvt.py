"""What of a vector tile can be told without decoding it: the fields of its protobuf messages (MVT 2.1, 4)."""

from collections.abc import Iterator

_LAYER, _FEATURE = 3, 2  # field numbers: Tile.layers, Layer.features
_BYTES = 2  # the wire type of messages


def count_features(tile: bytes) -> int:
    """How many features all layers of a tile have."""
    return sum(1 for layer in _messages(tile, _LAYER, 0, len(tile)) for _ in _messages(tile, _FEATURE, *layer))


def _messages(data: bytes, wanted: int, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the messages of a field begin and end."""
    while at < end:
        tag, at = _number(data, at)
        if tag & 7 == _BYTES:
            length, at = _number(data, at)
            if tag >> 3 == wanted:
                yield at, at + length
            at += length
        else:
            _, at = _number(data, at)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A whole number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
