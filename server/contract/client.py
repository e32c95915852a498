"""Asks as QGIS asks, and never more than is good: bounded in number, time and size, and never on another host."""

import asyncio
import json
import ssl
import time
import zlib
from typing import Any, NamedTuple, Self
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from core.errors import ChengtuError
from core.language import spoken
from server.contract.findings import finding
from server.contract.report import Exchange, Found

_HEADERS = {"User-Agent": "Mozilla/5.0 QGIS/34400 (Chengtu contract check)", "Accept-Encoding": "gzip, deflate"}
_LANGUAGES = {"en": "en,*", "zh": "zh-CN,en,*"}  # as Qt sends them by the user's locale
_PORTS = {"http": 80, "https": 443}
_HOPS = 5  # redirects


class NotAnAddress(ChengtuError):
    """The URL to check is none that QGIS could connect to."""

    en = "{url!r} is not the address of a service: give http://host/path or https://host/path, without user and password."
    zh = "{url!r} 不是服务地址:请使用 http://主机/路径 或 https://主机/路径,不含用户名和密码。"
    code = "InvalidParameterValue"
    status = 400
    exit_code = 2


class Limits(NamedTuple):
    """How much a check may ask for."""

    requests: int = 40
    seconds: float = 10.0  # for one answer, from asking to its last byte
    size: int = 20_000_000  # bytes of one answer, unpacked
    whole: float = 180.0  # seconds for all of it


class Answer(NamedTuple):
    """What the server said, unpacked."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def compressed(self) -> bool:
        """Whether it came packed over the wire."""
        return bool(self.headers.get("content-encoding", "identity") != "identity")

    def document(self) -> Any:  # noqa: ANN401 — any JSON value
        """The body as QGIS reads it: strict UTF-8, strict JSON; anything else ends the step."""
        if not 200 <= self.status < 300:
            raise Found(finding("http-status", url=self.url, status=self.status, said=self.said))
        if self.body[:2] == b"\x1f\x8b":
            raise Found(finding("gzip-unlabelled", url=self.url))
        try:
            return json.loads(self.body.decode("utf-8-sig"), parse_constant=_refuse)
        except UnicodeDecodeError as error:
            raise Found(finding("not-utf8", url=self.url, place=error.start)) from error
        except (ValueError, RecursionError) as error:
            raise Found(finding("not-json", url=self.url, start=self.said)) from error

    @property
    def said(self) -> str:
        """The first words of the body, for people."""
        return " ".join(self.body[:300].decode("utf-8", "replace").split())[:120]


def _refuse(constant: str) -> None:
    """NaN and Infinity are read by Python, but are no JSON and stop QGIS."""
    raise ValueError(constant)


class Client:
    """Talks to one service. `via` is where it is reached, where that is not its public address."""

    def __init__(self, url: str, limits: Limits | None = None, via: str | None = None) -> None:
        self._limits = limits or Limits()
        parts = _address(url)
        self.query = parts.query  # QGIS adds it to every address that it builds
        self.home = parts._replace(query="", fragment="").geturl()
        self._base, self._via = self.home.rstrip("/"), via.rstrip("/") if via else None
        self.exchanges: list[Exchange] = []
        self._end = time.monotonic() + self._limits.whole

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(
            timeout=self._limits.seconds,
            verify=ssl.create_default_context(),
            trust_env=False,
            headers=_HEADERS | {"Accept-Language": _LANGUAGES[spoken.get()]},
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()

    def get(self, url: str, accept: str, *, with_query: bool = True) -> Answer:
        """GET it; `with_query` where QGIS adds the user's own query string."""
        return self._ask("GET", self.with_query(url) if with_query else url, {"Accept": accept})

    def options(self, url: str) -> Answer:
        """What may be done there."""
        return self._ask("OPTIONS", url, {})

    def with_query(self, url: str) -> str:
        """The address with the user's query string, unless it is there already."""
        if not self.query or self.query in url:
            return url
        return f"{url}{'&' if '?' in url else '?'}{self.query}"

    def is_ours(self, url: str) -> bool:
        """Whether an address is on the host that we were told to check; a step from http to https counts as staying."""
        if self._via:
            return url == self._base or url.startswith((f"{self._base}/", f"{self._base}?"))
        mine, other = urlsplit(self._base), _parts(url)
        if other is None or other.hostname != mine.hostname:
            return False
        return _port(other) == _port(mine) or {_port(mine), _port(other)} == {80, 443}

    def _ask(self, method: str, url: str, headers: dict[str, str]) -> Answer:
        """Ask within the limits; where no answer comes, the finding says why."""
        if _parts(url) is None:
            raise Found(finding("link-relative", url=url))
        if not self.is_ours(url):
            raise Found(finding("link-elsewhere", url=url))
        seconds = min(self._limits.seconds, self._end - time.monotonic())
        if seconds <= 0:
            raise Found(finding("spent", requests=len(self.exchanges)))
        try:
            return self._runner.run(self._within(seconds, method, url, headers))
        except TimeoutError as error:
            raise self._silence(method, url, "timeout", seconds=round(self._limits.seconds)) from error
        except httpx.TimeoutException as error:
            raise self._silence(method, url, "timeout", seconds=round(self._limits.seconds)) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise self._silence(method, url, "no-answer", reason=str(error) or type(error).__name__) from error

    def _silence(self, method: str, url: str, code: str, **facts: object) -> Found:
        self.exchanges.append(Exchange(method, url, None, 0))
        return Found(finding(code, url=url, **facts))

    async def _within(self, seconds: float, method: str, url: str, headers: dict[str, str]) -> Answer:
        """httpx counts its seconds anew for every piece that arrives; this counts them once."""
        async with asyncio.timeout(seconds):
            for _ in range(_HOPS):
                if len(self.exchanges) >= self._limits.requests:
                    raise Found(finding("spent", requests=len(self.exchanges)))
                async with self._http.stream(method, self._reached(url), headers=headers) as response:
                    if not response.has_redirect_location:
                        return await self._answer(method, url, response)
                    self.exchanges.append(Exchange(method, url, response.status_code, 0))
                    target = self._public(urljoin(self._reached(url), response.headers["location"]))
                    if not self.is_ours(target):
                        raise Found(finding("redirect-elsewhere", url=url, target=target))
                    url = target
        raise Found(finding("redirect-loop", url=url))

    async def _answer(self, method: str, url: str, response: httpx.Response) -> Answer:
        coding = response.headers.get("content-encoding", "identity").lower()
        unpacker = zlib.decompressobj(wbits=47) if coding in ("gzip", "x-gzip", "deflate") else None  # 47: any header
        body = bytearray()
        try:
            async for piece in response.aiter_raw():
                room = self._limits.size + 1 - len(body)
                body += unpacker.decompress(piece, room) if unpacker else piece[:room]
                if len(body) > self._limits.size:
                    self.exchanges.append(Exchange(method, url, response.status_code, len(body)))
                    raise Found(finding("too-large", url=url, limit=self._limits.size // 1_000_000))
        except zlib.error as error:
            raise self._silence(method, url, "no-answer", reason=f"{coding}: {error}") from error
        self.exchanges.append(Exchange(method, url, response.status_code, len(body)))
        return Answer(url, response.status_code, response.headers, bytes(body))

    def _reached(self, url: str) -> str:
        return self._via + url.removeprefix(self._base) if self._via else url

    def _public(self, url: str) -> str:
        """The public address of one that we reached by another way."""
        return self._base + url.removeprefix(self._via) if self._via and url.startswith(self._via) else url


def _address(url: str) -> SplitResult:
    parts = _parts(url)
    if parts is None or parts.username is not None or parts.password is not None:
        raise NotAnAddress(url=url)
    return parts


def _parts(url: str) -> SplitResult | None:
    """The parts of an absolute web address, or None."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0  # .port raises on nonsense
    except ValueError:
        return None
    return parts if fits else None


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]
