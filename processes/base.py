"""What every process has in common: typed inputs described in two languages, and data sets that hold still."""

from copy import deepcopy
from typing import Any, ClassVar, NamedTuple

from psycopg import sql
from pydantic import BaseModel, ConfigDict, ValidationError
from pygeoapi.process.base import BaseProcessor

from core.catalogue import Dataset, get_dataset
from core.database import Connection, query
from core.door import Door
from core.errors import BadRequest, DatasetQuarantined, NoSuchDataset
from core.language import Text

JsonObject = dict[str, Any]


class BadInput(BadRequest):
    """An input that is not as the process describes it."""

    en = "Input {name}: {problem}."
    zh = "输入参数 {name}:{problem}。"


class UnknownOutput(BadRequest):
    """An output that the process does not have."""

    en = "There is no output {name}. This process has: {known}."
    zh = "没有输出 {name}。该处理的输出:{known}。"


class NoSuchCollection(BadRequest):
    """An id that is none of the catalogue's."""

    en = "There is no data set {id}. The ids are those under /collections."
    zh = "没有数据集 {id}。可用编号见 /collections。"


class Described(NamedTuple):
    """The title and the explanation of an input, put beside its type with `Annotated`."""

    title: Text
    description: Text


class Inputs(BaseModel):
    """The inputs of a process: names that are not fields are errors, and so are values of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Processor[I: Inputs](BaseProcessor):  # type: ignore[misc]  # pygeoapi has no types
    """A process that the host can run; subclasses say what it is (`described`), its inputs, and `run` it.

    Errors of ours go up to the host's border as they are, where they become an answer in the caller's language.
    """

    inputs: ClassVar[type[Inputs]]
    described: ClassVar[JsonObject]
    media_type: ClassVar[str] = "application/json"

    def __init__(self, processor_def: JsonObject) -> None:
        super().__init__(processor_def, self.metadata_of())
        self.supports_outputs = True
        self.door: Door = processor_def["door"]

    @classmethod
    def metadata_of(cls) -> JsonObject:
        """The process description of OGC API - Processes 1, 7.10, with texts in both languages."""
        described = deepcopy(cls.described)  # the host takes things out of it (api/processes.py, get_oas_30)
        return {"jobControlOptions": ["sync-execute"], **described, "inputs": describe_inputs(cls.inputs)}

    def run(self, inputs: I) -> JsonObject:
        """Do the work; what comes back is the value of the one output, ready for JSON."""
        raise NotImplementedError

    def execute(self, data: object, outputs: object = None) -> tuple[str, JsonObject]:
        """What the host calls: check the inputs, run, and say what media type the result has."""
        known = self.described["outputs"]
        for name in outputs if isinstance(outputs, dict | list) else ():
            if name not in known:
                raise UnknownOutput(name=str(name)[:60], known=", ".join(known))
        return self.media_type, self.run(read_inputs(self.inputs, data))  # type: ignore[arg-type]


def find(connection: Connection, id_: str) -> Dataset:
    """A data set that can be asked, or an error that says why not."""
    try:
        dataset = get_dataset(connection, id_)
    except NoSuchDataset:
        raise NoSuchCollection(id=id_) from None
    if dataset.problem is not None:
        raise DatasetQuarantined(id=id_, reason=dataset.problem)
    return dataset


def hold(connection: Connection, id_: str) -> Dataset:
    """A data set that stays as it is until the connection's transaction ends."""
    table = sql.Identifier("data", find(connection, id_).id)
    connection.execute(query("hold_dataset").format(table=table))
    return find(connection, id_)  # again: a release may have come in just before the lock


def describe_inputs(model: type[Inputs]) -> JsonObject:
    """The inputs as a process description writes them, from the model's types and their `Described`."""
    schemas = model.model_json_schema()["properties"]
    described: JsonObject = {}
    for name, field in model.model_fields.items():
        words = next(part for part in field.metadata if isinstance(part, Described))
        described[name] = {
            "title": words.title._asdict(),
            "description": words.description._asdict(),
            "schema": _schema(schemas[name]),
            "minOccurs": int(field.is_required()),
            "maxOccurs": 1,
        }
    return described


def _schema(schema: JsonObject) -> JsonObject:
    """An input's schema without the title, and without the null by which Python says "left out"."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("title", "anyOf") and value is not None}
    return rest | (choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {})


def read_inputs[I: Inputs](model: type[I], data: object) -> I:
    """Check the inputs of a request; the first thing wrong with them is told."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"][:4])[:60] or "inputs"
        raise BadInput(name=name, problem=_problem(first["type"], first["msg"], first.get("ctx", {}), model)) from error


def _problem(kind: str, message: str, facts: JsonObject, model: type[Inputs]) -> Text:
    """What is wrong with an input; the rarer faults in pydantic's words."""
    if isinstance(problem := facts.get("error"), InputProblem):
        return problem.text
    if kind not in _PROBLEMS:
        return Text(message[:1].lower() + message[1:], message)
    facts = facts | {"known": ", ".join(model.model_fields)}
    return Text(*(text.format(**facts) for text in _PROBLEMS[kind]))


_PROBLEMS = {  # by pydantic's names of them
    "missing": Text("it is required", "必填"),
    "extra_forbidden": Text("there is no such input; there are {known}", "没有此参数;可用参数:{known}"),
    "model_type": Text("give an object with the inputs by name", "应为按名称列出参数的对象"),
    "int_type": Text("it must be a whole number", "应为整数"),
    "string_type": Text("it must be a text", "应为文本"),
    "bool_type": Text("it must be true or false", "应为 true 或 false"),
    "literal_error": Text("it must be {expected}", "应为 {expected}"),
    "greater_than_equal": Text("it must be at least {ge}", "不得小于 {ge}"),
    "less_than_equal": Text("it must be at most {le}", "不得大于 {le}"),
}


class InputProblem(ValueError):
    """What a validator of ours finds wrong with an input, in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)
