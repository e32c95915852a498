"""XML as WMTS writes it: names with their prefixes, texts that any parser reads."""

import re
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

WMTS: Final = "http://www.opengis.net/wmts/1.0"
OWS: Final = "http://www.opengis.net/ows/1.1"
XLINK: Final = "http://www.w3.org/1999/xlink"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_NAMESPACES: Final = {"": WMTS, "ows": OWS, "xlink": XLINK}
_UNREADABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2

for _prefix, _uri in _NAMESPACES.items():
    register_namespace(_prefix, _uri)


def root(name: str, attributes: dict[str, str]) -> Element:
    """The outermost element."""
    return Element(_qualified(name), {_qualified_attribute(key): value for key, value in attributes.items()})


def add(parent: Element, name: str, text: str | None = None, /, **attributes: str) -> Element:
    """An element within another, like `add(layer, "ows:Title", "…")`; `lang` and `href` are what XML and XLink call so."""
    child = SubElement(
        parent, _qualified(name), {_qualified_attribute(key): value for key, value in attributes.items()}
    )
    if text is not None:
        child.text = _UNREADABLE.sub("", text)
    return child


def written(element: Element) -> bytes:
    """The document."""
    text: str = tostring(element, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _qualified(name: str) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


def _qualified_attribute(name: str) -> str:
    if name == "lang":
        return _LANGUAGE
    return f"{{{XLINK}}}href" if name == "href" else name
