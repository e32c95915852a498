"""Pages of our own in the frame of all others, which they share with the host's."""

from importlib.metadata import version
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from core.language import spoken
from core.settings import ROOT
from features.documents import Json
from server.service import Service

TEMPLATES: Final = Jinja2Templates(ROOT / "web" / "templates")


def page(
    request: Request, template: str, data: Json, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A page over `data`, with what every page's frame reads: the same names as the host gives to its own."""
    around = {"config": _words(request), "locale": spoken.get(), "version": version("pygeoapi"), "data": data}
    return TEMPLATES.TemplateResponse(request, template, around, status, headers)


def _words(request: Request) -> dict[str, Any]:
    """The service's own words in the reader's language."""
    service: Service = request.app.state.service
    metadata, language = service.metadata, spoken.get()
    about = metadata.identification
    return {
        "server": {"url": request.app.state.settings.base_url},
        "metadata": {
            "identification": {
                "title": about.title.text.in_(language),
                "description": about.description.text.in_(language),
            },
            "provider": {"name": metadata.provider.name},
            "contact": {"email": metadata.contact.email},
        },
        "resources": {name: {"type": "process"} for name in service.resources},
    }
