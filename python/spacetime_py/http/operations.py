"""Each operation of the HTTP API as a request, and how its answer is read. Nothing here does I/O.

Source: the HTTP API of SpacetimeDB, https://spacetimedb.com/docs/http.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from .._core import Identity, Timestamp
from ..exceptions import HttpError, InternalError, QueryError, SenderError
from ..sats_json import decode, encode
from .definition import Definition
from .models import (
    CallResult,
    DatabaseInfo,
    IdentityToken,
    LogLine,
    Migration,
    Published,
    SqlResult,
)

T = TypeVar("T")

_REDUCER_FAILED = 530
_TRAPPED = "fatal error"
"""What a server says of a reducer that crashed."""
_NO_FUNCTION = "no such "
"""What it says, before `reducer` or `procedure`, of one that is not there."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response, as far as it is read."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    uri: str = ""
    """The server, for messages."""
    hide: Callable[[str], str] = str
    """Takes tokens out of what is for messages."""

    @property
    def text(self) -> str:
        return self.hide(self.body.decode(errors="replace").strip())

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            advice = f"{self.uri} did not answer with JSON: is it a SpacetimeDB server?"
            raise HttpError(self.status, self.text[:200], advice) from error


@dataclass(frozen=True)
class Operation(Generic[T]):
    """What is sent, and what makes a result of the answer."""

    method: str
    path: str
    read: Callable[[Answer], T]
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    content: bytes | None = None
    content_type: str | None = None
    database: str | None = None
    refused: Callable[[Answer], None] | None = None
    """Raises what tells more than HttpError, if the answer is such a refusal."""

    def result(self, answer: Answer) -> T:
        """Raises what the server's refusal means."""
        if 200 <= answer.status < 300:
            return self.read(answer)
        if self.refused is not None:
            self.refused(answer)
        raise self.error(answer)

    def error(self, answer: Answer) -> HttpError:
        """What the status means, and what to do."""
        missing = f"there is no database `{self.database}` at {answer.uri}"
        advice = {
            401: "give a valid token, or none to be a new identity",
            403: "it is not that of an identity which may do this: give the owner's token",
            404: f"{missing}: publish it first, or check its name" if self.database else "",
            413: "the server takes no request of this size",
        }
        return HttpError(answer.status, answer.text, advice.get(answer.status, ""))


def _database(name: str, rest: str = "") -> str:
    return f"/v1/database/{quote(name, safe='')}{rest}"


def _nothing(answer: Answer) -> None:
    return None


def version() -> Operation[str]:
    return Operation("GET", "/v1/health", lambda answer: str(answer.json()["version"]))


def identity() -> Operation[IdentityToken]:
    def read(answer: Answer) -> IdentityToken:
        body = answer.json()
        return IdentityToken(Identity(body["identity"]), body["token"])

    return Operation("POST", "/v1/identity", read)


def databases(owner: Identity) -> Operation[list[Identity]]:
    def read(answer: Answer) -> list[Identity]:
        return [Identity(one) for one in answer.json()["identities"]]

    return Operation("GET", f"/v1/identity/{owner}/databases", read)


def info(database: str) -> Operation[DatabaseInfo]:
    def read(answer: Answer) -> DatabaseInfo:
        body = answer.json()
        (host_type,) = body["host_type"]
        return DatabaseInfo(
            _identity(body["database_identity"]),
            _identity(body["owner_identity"]),
            host_type,
            str(body["initial_program"]),
        )

    return Operation("GET", _database(database), read, database=database)


def _identity(value: Mapping[str, str]) -> Identity:
    return Identity(f"{int(value['__identity__'], 16):064x}")


def publish(
    name: str | None, module: bytes, clear: bool, policy: str | None, token: str | None
) -> Operation[Published]:
    params = {"clear": "true"} if clear else {}
    if policy is not None:
        params["policy"] = policy
    if token is not None:
        params["token"] = token

    def read(answer: Answer) -> Published:
        body = answer.json()["Success"]
        return Published(Identity(body["database_identity"]), _text(body["domain"]), body["op"])

    method, path = ("POST", "/v1/database") if name is None else ("PUT", _database(name))
    return Operation(method, path, read, params, module, "application/wasm")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def prepare(name: str, module: bytes) -> Operation[Migration]:
    def read(answer: Answer) -> Migration:
        ((kind, body),) = answer.json().items()
        if kind == "AutoMigrate":
            plan = body["migrate_plan"]
            return Migration(True, plan, bool(body["break_clients"]), body.get("token"))
        return Migration(False, body["reason"], True, None)

    path = _database(name, "/pre_publish")
    params = {"style": "NoColor"}
    return Operation("POST", path, read, params, module, "application/wasm")


def delete(database: str) -> Operation[None]:
    return Operation("DELETE", _database(database), _nothing, database=database)


def names(database: str) -> Operation[list[str]]:
    return Operation(
        "GET",
        _database(database, "/names"),
        lambda answer: answer.json()["names"],
        database=database,
    )


def set_names(database: str, to: Sequence[str]) -> Operation[None]:
    body = json.dumps(list(to)).encode()
    path = _database(database, "/names")
    return Operation("PUT", path, _nothing, {}, body, "application/json", database=database)


def schema(database: str, version: int) -> Operation[dict[str, Any]]:
    def read(answer: Answer) -> dict[str, Any]:
        found: dict[str, Any] = answer.json()
        return found

    return Operation(
        "GET", _database(database, "/schema"), read, {"version": str(version)}, database=database
    )


def sql(database: str, query: str) -> Operation[SqlResult]:
    def read(answer: Answer) -> SqlResult:
        (result,) = answer.json()
        elements = result["schema"]["elements"]
        kinds = [element["algebraic_type"] for element in elements]
        columns = tuple(
            element["name"].get("some", f"column_{i}") for i, element in enumerate(elements)
        )
        rows = [
            tuple(decode(kind, value) for kind, value in zip(kinds, row, strict=True))
            for row in result["rows"]
        ]
        duration = timedelta(microseconds=result.get("total_duration_micros", 0))
        return SqlResult(columns, rows, duration, result.get("stats", {}))

    def refused(answer: Answer) -> None:
        if answer.status == 400:
            raise QueryError(query, answer.text)

    path = _database(database, "/sql")
    return Operation(
        "POST", path, read, {}, query.encode(), "text/plain", database=database, refused=refused
    )


def call(database: str, function: str, arguments: str) -> Operation[CallResult]:
    """`arguments` are JSON text: an array, or an object by the parameters' names."""

    def read(answer: Answer) -> CallResult:
        micros = answer.headers.get("spacetime-execution-duration-micros")
        energy = answer.headers.get("spacetime-energy-used")
        return CallResult(
            answer.json() if answer.body else None,
            None if micros is None else timedelta(microseconds=int(micros)),
            None if energy is None else int(energy),
        )

    def refused(answer: Answer) -> None:
        if answer.status == _REDUCER_FAILED:
            failure = InternalError if _TRAPPED in answer.text else SenderError
            raise failure(function, answer.text)
        if answer.status in (400, 402) or _NO_FUNCTION in answer.text.lower():
            raise InternalError(function, answer.text)

    path = _database(database, f"/call/{quote(function, safe='')}")
    # Not a byte more: servers refuse the content type with a charset.
    kind = "application/json"
    return Operation(
        "POST", path, read, {}, arguments.encode(), kind, database=database, refused=refused
    )


def logs(database: str, lines: int | None, follow: bool) -> Operation[None]:
    """The answer is a stream of lines for `log_line`."""
    params = {"follow": "true"} if follow else {}
    if lines is not None:
        params["num_lines"] = str(lines)
    return Operation("GET", _database(database, "/logs"), _nothing, params, database=database)


def log_line(line: str) -> LogLine:
    """One line of the answer."""
    try:
        found = json.loads(line)
        return LogLine(
            str(found["level"]),
            Timestamp(found["ts"]),
            str(found["message"]),
            found.get("target"),
            found.get("filename"),
            found.get("line_number"),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise HttpError(200, line[:200], "that is no line of a log") from error


def arguments_json(schema: Mapping[str, Any], function: str, arguments: Sequence[Any]) -> str:
    """Python values as the arguments of a call. Raises EncodeError, HttpError."""
    definition = Definition(schema)
    found = definition.function(function)
    if found is None:
        raise HttpError(404, f"there is no reducer or procedure `{function}`", "check the name")
    kind = {"Product": {"elements": found.parameters}}
    return json.dumps(list(encode(kind, arguments, definition.types, f"`{function}`").values()))
