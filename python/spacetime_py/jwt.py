"""What a token says of itself. Nothing is verified: that is the server's to do."""

from __future__ import annotations

import base64
import json
from typing import Any, cast


def claims(token: str) -> dict[str, Any]:
    """The claims of a JSON Web Token (RFC 7519); none of what is not one."""
    try:
        body = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def expires_at(token: str) -> float | None:
    """When it expires, in seconds since 1970 (`exp`); None for a token that says nothing of it."""
    try:
        return float(claims(token)["exp"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def identity_in(token: str) -> str | None:
    """The claim that tells an identity, in tokens that SpacetimeDB made. 64 hex digits."""
    found = claims(token).get("hex_identity")
    return found if isinstance(found, str) else None
