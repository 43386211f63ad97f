"""The server's HTTP API, typed: publish, call, query, read logs, without a lasting connection."""

from ..sats_json import Variant
from .client import AsyncHttpClient, HttpClient
from .models import (
    CallResult,
    DatabaseInfo,
    IdentityToken,
    LogLine,
    Migration,
    Published,
    SqlResult,
)

__all__ = [
    "AsyncHttpClient",
    "CallResult",
    "DatabaseInfo",
    "HttpClient",
    "IdentityToken",
    "LogLine",
    "Migration",
    "Published",
    "SqlResult",
    "Variant",
]
