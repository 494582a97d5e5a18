"""Keeping passwords out of what people read."""

import re

# The length of a scheme is bounded: a long run of letters would take quadratic time. What stands
# before the last '@' counts as credentials: passwords are often written with an '@' of their own.
_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^/\s]*@")
_QUERY = re.compile(
    r"(?P<name>[?&](?:[\w-]{0,40}(?:password|passwd|token|secret)|(?:[\w-]{0,40}[_-])?key)=)[^&#\s'\"]+",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text with the credentials of every URL in it replaced by ``***``."""
    text = _USERINFO.sub(lambda match: f"{match['scheme']}***@", text)
    return _QUERY.sub(lambda match: f"{match['name']}***", text)
