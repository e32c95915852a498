"""The host's configuration, made of the service's own words and the catalogue."""

from collections.abc import Iterable
from typing import Any

from core.catalogue import Dataset
from core.crs import Srid, lookup, uri
from core.door import Door
from core.language import Text
from core.settings import ROOT
from features.provider import Source
from features.table import WORLD, Table
from server.service import Metadata, Service


def configuration(service: Service, tables: Iterable[Table], door: Door) -> dict[str, Any]:
    """The dictionary that pygeoapi would have read from a file."""
    base = door.settings.base_url
    templates = str(ROOT / "web" / "templates")
    return {
        "path": templates,  # the host's pages of tile matrix sets look here (api/tiles.py:383-394, 439)
        "server": {
            "bind": {"host": door.settings.host, "port": door.settings.port},
            "url": base,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": list(service.server.languages),
            "cors": service.server.cors,
            "gzip": True,
            "pretty_print": service.server.pretty_print,
            "limits": {**service.server.limits.model_dump(exclude={"download_items"}), "on_exceed": "throttle"},
            "map": {"url": "", "attribution": ""},
            "manager": {"name": "server.manager.Manager"},
            "templates": {"path": templates, "static": str(ROOT / "web" / "static")},
        },
        "logging": {"level": "CRITICAL"},
        "metadata": _metadata(service.metadata, base),
        "resources": _processes(service, door) | {one.dataset.id: _collection(one, door) for one in tables},
    }


def _metadata(metadata: Metadata, base: str) -> dict[str, Any]:
    """The service's words; the host fails on keys that are missing, even where the standard does not ask for them."""
    identification = metadata.identification
    return {
        "identification": identification.model_dump()
        | {
            "keywords_type": "theme",
            "terms_of_service": identification.terms_of_service or base,
            "url": identification.url or base,
        },
        "license": {"name": metadata.license.name, "url": metadata.license.url or base},
        "provider": {"name": metadata.provider.name, "url": metadata.provider.url or base},
        "contact": {"url": base, "email": "", **metadata.contact.model_dump(exclude_none=True)},
    }


def _processes(service: Service, door: Door) -> dict[str, Any]:
    return {
        name: {"type": "process", "processor": {**process.processor.model_dump(), "door": door}}
        for name, process in service.resources.items()
    }


def _collection(table: Table, door: Door) -> dict[str, Any]:
    """A data set as the host describes a collection."""
    dataset = table.dataset
    extent = dataset.extent or WORLD
    collection = {
        "type": "collection",
        "title": dataset.title._asdict(),
        "description": _description(dataset)._asdict(),
        "keywords": {"en": list(dataset.keywords), "zh": list(dataset.keywords)},
        "links": _links(dataset, door.settings.base_url),
        "extents": {"spatial": {"bbox": list(extent), "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}},
        "providers": [
            {
                "type": "feature",
                "name": "features.provider.TableProvider",
                "data": Source(table, door),
                "id_field": dataset.key,
                "crs": [uri(srid) for srid in table.offered],
                "storage_crs": uri(Srid(dataset.srid)),
            }
        ],
    }
    if dataset.time is not None:
        collection["extents"]["temporal"] = {"begin": None, "end": None}  # type: ignore[index]
    return collection


def _description(dataset: Dataset) -> Text:
    """The description, with the CRS that the data are kept in."""
    crs = f"{lookup(Srid(dataset.srid)).name} (EPSG:{dataset.srid})"
    given = Text(dataset.description.en or dataset.title.en, dataset.description.zh or dataset.title.zh)
    return Text(f"{_closed(given.en, '.')} CRS: {crs}.", f"{_closed(given.zh, '。')}坐标系:{crs}。")


def _closed(sentence: str, stop: str) -> str:
    return sentence if sentence.endswith((".", "。", "!", "!", "?", "?")) else sentence + stop


def _links(dataset: Dataset, base: str) -> list[dict[str, Any]]:
    """The licence, and whom the data come from: maps show both (OGC API - Features 1, 7.15.2)."""
    links: list[dict[str, Any]] = []
    if dataset.attribution is not None:
        links.append({"rel": "via", "type": "text/html", "title": dataset.attribution._asdict(), "href": base})
    if dataset.licence:
        address = dataset.licence if dataset.licence.startswith(("http://", "https://")) else base
        links.append({"rel": "license", "type": "text/html", "title": dataset.licence, "href": address})
    return links
