"""The host's configuration, made of the service's own words and the catalogue."""

from collections.abc import Iterable
from typing import Any

from core.crs import CRS84, Srid, uri
from core.door import Door
from core.settings import ROOT
from features.documents import description
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
            "gzip": False,  # the host calls errors zipped that are not (api/__init__.py, get_exception); we zip for it
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
    collection = {
        "type": "collection",
        "title": dataset.title._asdict(),
        "description": description(dataset)._asdict(),
        "keywords": {"en": list(dataset.keywords), "zh": list(dataset.keywords)},
        "extents": {"spatial": {"bbox": list(dataset.extent or WORLD), "crs": uri(CRS84)}},
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
    if dataset.history is not None:
        address = f"{door.settings.base_url}/collections/{dataset.id}/history"
        collection["links"] = [{"rel": "version-history", "type": "text/html", "href": address, "title": dataset.id}]
    if dataset.time is not None or dataset.history is not None:
        collection["extents"]["temporal"] = {"begin": None, "end": None}  # type: ignore[index]
    return collection
