"""The library that charts are drawn with: one known file, with its licence."""

import hashlib

from loreley.web.rendering import STATIC

VERSION = "7.9.0"
SHA256 = "f2094bbf6141b359722c4fe454eb6c4b0f0e42cc10cc7af921fc158fceb86539"  # of npm's d3@7.9.0


def test_the_library_is_the_one_that_npm_has() -> None:
    (file,) = STATIC.glob("d3-*.js")

    content = file.read_bytes()

    assert file.name == f"d3-{VERSION}.min.js"
    assert content.startswith(f"// https://d3js.org v{VERSION} Copyright".encode())
    assert hashlib.sha256(content).hexdigest() == SHA256
    assert "Mike Bostock" in (STATIC / "d3-LICENSE.txt").read_text()
