"""Keeping passwords out of what people read."""

import re

# The length of a scheme is bounded: a long run of letters would take quadratic time.
_USERINFO = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}://)(?P<userinfo>[^/\s@]*(?:@[^/\s@]+)*)@"
)
_QUERY = re.compile(r"(?P<name>[?&](?:password|passwd|token|secret|key)=)[^&\s'\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """The text with the credentials of every URL in it replaced by ``***``."""
    text = _USERINFO.sub(lambda match: f"{match['scheme']}***@", text)
    return _QUERY.sub(lambda match: f"{match['name']}***", text)
