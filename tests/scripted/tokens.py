"""JSON Web Tokens of tests. Nobody has signed them: a scripted peer does not look."""

from __future__ import annotations

import base64
import json


def jwt(name: str, expires: float | None = None) -> str:
    """A token of somebody, who is told apart by `name`; `expires` in seconds since 1970."""
    parts = ({"alg": "ES256"}, {"iss": "localhost", "sub": name, "exp": expires})
    return ".".join(map(_encoded, parts)) + ".c2lnbmF0dXJl"


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
