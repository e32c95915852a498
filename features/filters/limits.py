"""How much a filter may ask of us, looked at before anything is parsed."""

from features.filters.errors import FilterTooDeep, FilterTooLong, FilterTooWide

MAX_TEXT = 8_192  # bytes of CQL2 text, which travels in a URL
MAX_JSON = 1_000_000  # bytes of CQL2 JSON, which may carry a drawn geometry
MAX_LITERAL = 8_192  # characters of one text in quotes
MAX_DEPTH = 32  # brackets within brackets
MAX_NODES = 5_000  # values, properties and operators of one filter
MAX_COMMAS = 80_000  # of CQL2 JSON: more than three numbers to each vertex of two geometries and all nodes
MAX_WILDCARDS = 10  # of % in one pattern: matching goes up with their number
MAX_ALL_WILDCARDS = 40  # of % in all patterns of a filter together


def check_length(text: str, limit: int) -> None:
    """Refuse a text of more than `limit` bytes."""
    length = len(text.encode("utf-8", "surrogatepass"))
    if length > limit:
        raise FilterTooLong(length=length, limit=limit)


def check_width(text: str) -> None:
    """Refuse a document of more members than nodes and vertices can come to."""
    if text.count(",") > MAX_COMMAS:
        raise FilterTooWide(limit=MAX_NODES)


def check_depth(text: str, limit: int, opening: str, closing: str, quotes: str) -> None:
    """Refuse brackets more than `limit` deep, passing over what is quoted; never recurses."""
    depth, quote, escaped = 0, "", False
    for char in text:
        if quote:
            if char == quote and not escaped:
                quote = ""
            escaped = char == "\\" and not escaped
        elif char in quotes:
            quote, escaped = char, False
        elif char in opening:
            depth += 1
            if depth > limit:
                raise FilterTooDeep(limit=limit)
        elif char in closing:
            depth -= 1
