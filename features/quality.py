"""What the rules of its profile say of a data set: read from the catalogue, and from the data set of its findings."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg import sql

from core.database import AsyncPool, ask, query
from core.errors import NoSuchDataset
from core.language import Text
from features.asking import asking

SUFFIX = "_quality"  # of the data set that holds the findings of another
MOST_IDS = 10_000  # of a rule; all findings are in the data set


@dataclass(frozen=True)
class Verdict:
    """What one rule says: how many findings, and the keys of the features they concern (the first 10 000).

    `unjudged` says why it could not be judged, such as for want of another layer.
    """

    id: str
    severity: str
    clause: str
    title: Text
    count: int
    accepted: bool
    ids: tuple[str, ...]
    unjudged: Text | None


class Verdicts(NamedTuple):
    """What all rules say of a release; `current` until it is edited."""

    profile: str
    checked: datetime
    release: int
    current: bool
    has_findings: bool
    rules: tuple[Verdict, ...]


async def read_verdicts(pool: AsyncPool, id_: str) -> Verdicts | None:
    """What the rules say of a data set; None where it was loaded without any."""
    rows = await ask(pool, query("quality_of"), {"id": id_})
    if not rows:
        raise NoSuchDataset(id=id_)
    profile, checked, rules, release, current, has_findings = rows[0]
    if profile is None:
        return None
    ids = await _ids(pool, id_) if has_findings else {}
    verdicts = tuple(_verdict(one, ids.get(one["id"], ())) for one in rules)
    return Verdicts(profile, checked.astimezone(UTC), release, current, has_findings, verdicts)


async def _ids(pool: AsyncPool, id_: str) -> dict[str, tuple[str, ...]]:
    statement = query("ids_of_findings").format(findings=sql.Identifier("data", id_ + SUFFIX))
    with asking(id_ + SUFFIX):
        return {rule: tuple(ids) for rule, ids in await ask(pool, statement, {"most": MOST_IDS})}


def _verdict(kept: dict[str, Any], ids: tuple[str, ...]) -> Verdict:
    unjudged = Text(**kept["unjudged"]) if kept["unjudged"] else None
    title = Text(**kept["title"])
    return Verdict(kept["id"], kept["severity"], kept["clause"], title, kept["count"], kept["accepted"], ids, unjudged)
