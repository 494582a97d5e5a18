"""Files that a candidate left to trap whoever reads them."""

import os
from pathlib import Path

import pytest

from loreley.core.sandbox.untrusted_files import UnusableFile, read_file


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(b"content")

    assert read_file(tmp_path, "a/b/c", limit_bytes=7) == b"content"
    assert read_file(tmp_path, "./a//b/c", limit_bytes=7) == b"content"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "..", "a/../../b", "a\0b", "."])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UnusableFile, match="not a path inside"):
        read_file(tmp_path, path, limit_bytes=10)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(11))

    with pytest.raises(UnusableFile, match="11 bytes, at most 10"):
        read_file(tmp_path, "large", limit_bytes=10)


@pytest.mark.parametrize("path", ["link", "folder_link/file", "missing", "folder/file/more"])
def test_no_link_is_followed(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "link").symlink_to("folder/file")
    (tmp_path / "folder_link").symlink_to("folder")

    with pytest.raises(UnusableFile, match="cannot be read"):
        read_file(tmp_path, path, limit_bytes=10)


def test_nothing_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(UnusableFile, match="not a regular file"):
        read_file(tmp_path, "fifo", limit_bytes=10)


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(UnusableFile, match="not a regular file"):
        read_file(tmp_path, "folder", limit_bytes=10)


def test_nothing_stays_open(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    for path in ("a/missing", "a", "missing/b"):
        with pytest.raises(UnusableFile):
            read_file(tmp_path, path, limit_bytes=10)

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
