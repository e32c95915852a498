"""The balance of areas of an increment: what each class of a district had, lost, gained and has; and who went where."""

from psycopg import sql

from core.database import Connection, query
from loaders.amendment import Amended
from loaders.increments.report import Balance, ClassArea, District, Finding, Transition, finding
from loaders.increments.source import Terms, cents

type Areas = dict[tuple[str, str], int]  # by district and class, in cents


def areas(connection: Connection, held: Amended, terms: Terms) -> Areas:
    """The areas that are served now in the districts of the increment; none where parcels tell no area."""
    if None in terms:
        return {}
    statement = query("increment_areas").format(
        unit=sql.Identifier("t", terms.unit or ""),
        **{"class": sql.Identifier("t", terms.class_ or "")},
        area=cents(terms.area),
        table=held.table,
    )
    return {(row["district"], row["class"] or ""): row["area"] or 0 for row in connection.execute(statement)}


def balance(connection: Connection, before: Areas) -> Balance:
    """The whole of it: what there is after is what was, less the parcels that end, and those that begin."""
    after = dict(before)
    for row in connection.execute(query("increment_exchange")) if before else ():
        key = row["district"], row["class"] or ""
        after[key] = after.get(key, 0) + (row["area"] or 0)
    flows = {
        (row["district"], row["class"] or ""): (row["lost"], row["gained"])
        for row in connection.execute(query("increment_flows"))
    }
    keys = sorted({*before, *after, *(flows if before else ())})
    rows = {key: ClassArea(key[1], *(number / 100 for number in _of(key, before, flows, after))) for key in keys}
    districts = tuple(
        District(code, tuple(rows[key] for key in keys if key[0] == code))
        for code in dict.fromkeys(one for one, _ in keys)
    )
    transitions = tuple(
        Transition(row["village"], row["before"], row["after"], row["pieces"], float(row["area"] or 0))
        for row in connection.execute(query("increment_transitions"))
    )
    return Balance(districts, transitions)


def _of(
    key: tuple[str, str], before: Areas, flows: dict[tuple[str, str], tuple[int, int]], after: Areas
) -> tuple[int, int, int, int]:
    lost, gained = flows.get(key, (0, 0))
    return before.get(key, 0), lost, gained, after.get(key, 0)


def judge(found: Balance) -> list[Finding]:
    """Whether what was, less what was lost, and what was gained make what is: to the cent."""
    wrong = [
        f"{one.code} {row.class_}"
        for one in found.districts
        for row in one.classes
        if round(row.before - row.lost + row.gained - row.after, 2)
    ]
    en = "The table of {n} classes does not add up."
    return [finding("increment-balance", wrong, en, "有 {n} 个地类的平衡表不平。")] if wrong else []
