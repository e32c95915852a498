"""Runs processes for the host: at once, and without covering up what went wrong."""

from collections.abc import Callable
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError
from pygeoapi.process.manager.dummy import DummyManager
from pygeoapi.util import JobStatus

from core.errors import BadRequest

Execute = Callable[[Any, Any, str], tuple[dict[str, str], int, str]]


class BadExecuteRequest(BadRequest):
    """A body that is no request to run a process."""

    en = 'The body is not a request to run a process: {problem}. Send JSON like {{"inputs": {{"name": value}}}}.'
    zh = '请求体不是有效的处理执行请求:{problem}。请发送形如 {{"inputs": {{"name": value}}}} 的 JSON。'


class NoSubscribers(BadRequest):
    """A wish to be called back, which would let anyone make this server send requests."""

    en = "Callbacks (subscriber) are not supported. Leave subscriber out, and wait for the answer."
    zh = "不支持回调(subscriber)。请去掉 subscriber 并等待结果。"


class ExecuteRequest(BaseModel):
    """The body of an execution (OGC API - Processes 1, 7.11.2), as far as we look at it before the host does."""

    model_config = ConfigDict(strict=True)

    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] | list[str] | None = None
    response: Literal["raw", "document"] = "raw"
    subscriber: Any = None


def check_request(body: bytes) -> None:
    """Refuse bodies on which the host stumbles: no object, nested without end, callbacks (api/processes.py:394-430)."""
    try:
        request = ExecuteRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"][:4]))[:60]
        raise BadExecuteRequest(problem=f"{where}: {first['msg']}" if where else first["msg"]) from error
    if request.subscriber is not None:
        raise NoSubscribers


def checked(execute: Execute) -> Execute:
    """The host's function behind /processes/{id}/execution, with its body looked at first."""

    def execute_process(api: Any, request: Any, process_id: str) -> tuple[dict[str, str], int, str]:  # noqa: ANN401
        if process_id in api.manager.processes and request.data:
            check_request(request.data)
        return execute(api, request, process_id)

    return execute_process


class Manager(DummyManager):  # type: ignore[misc]  # pygeoapi has no types
    """Upstream's own turns every error into 400 "Error executing process" (manager/dummy.py:122-130)."""

    def execute_process(
        self,
        process_id: str,
        data_dict: object,
        execution_mode: object = None,
        requested_outputs: object = None,
        subscriber: object = None,
        requested_response: str | None = "raw",
    ) -> tuple[str, str, Any, JobStatus, dict[str, str] | None]:
        """Run a process and wait for it; a document names each output (OGC API - Processes 1, 7.11.3)."""
        processor = self.get_processor(process_id)
        media_type, value = processor.execute(data_dict, outputs=requested_outputs)
        if requested_response == "document":
            (name,) = processor.metadata["outputs"]
            media_type, value = "application/json", {name: {"value": value, "mediaType": media_type}}
        headers = {"Preference-Applied": "wait"} if execution_mode else None
        return str(uuid4()), media_type, value, JobStatus.successful, headers
