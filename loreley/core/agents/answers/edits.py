"""Edits of files by text, applied all at once and only where nothing is lost by mistake; pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from loreley.core.agents.answers.losses import describe_loss, find_edit_mark, find_lazy_mark
from loreley.core.agents.answers.matching import NotFound, replace_lines
from loreley.core.agents.answers.paths import is_new_name, objection_to_path

_SEEN_IN_PARTS = (
    "you were shown parts of this file only, so it cannot be written anew; name the lines that "
    "change with SEARCH, as you were shown them, and what takes their place with REPLACE"
)


@dataclass(frozen=True, slots=True)
class Edit:
    """A place in a file and what is to stand there; without ``search`` the whole file."""

    path: str
    replace: str
    search: str | None = None
    line: int | None = None  # where it is said to be, counted from 1


def apply_edits(
    edits: Sequence[Edit],
    current: Callable[[str], str | None],
    objection: Callable[[str], str | None],
    partial: Collection[str] = (),
) -> tuple[Mapping[str, str], Sequence[str]]:
    """The new content of each edited file, and why edits cannot be applied, for the model.

    ``current`` gives a file's text, None where there is none; ``objection`` says why a path may
    not be changed; ``partial`` are the files of which the model has seen parts only, which it
    cannot write anew. Later edits of a file see what earlier ones made of it.
    """
    contents: dict[str, str] = {}
    errors: list[str] = []
    for edit in edits:
        reason = objection_to_path(edit.path) or objection(edit.path)
        if reason is not None:
            errors.append(f"{edit.path}: {reason}")
            continue
        text = contents[edit.path] if edit.path in contents else current(edit.path)
        if edit.search is None and edit.path in partial and text is not None:
            errors.append(f"{edit.path}: {_SEEN_IN_PARTS}")
            continue
        outcome = _apply(edit, text)
        if isinstance(outcome, _Refused):
            errors.append(f"{edit.path}: {outcome.reason}")
        else:
            contents[edit.path] = outcome
    return contents, errors


@dataclass(frozen=True, slots=True)
class _Refused:
    reason: str


def _apply(edit: Edit, text: str | None) -> str | _Refused:
    is_new = text is None and not (edit.search or "").strip()
    if is_new and not is_new_name(edit.path):
        return _Refused(
            "there is no such file, and no new one is called so; write the path alone on the line "
            "before the block, with the ending of its name"
        )
    old = (text or "") if edit.search is None else edit.search
    if mark := find_lazy_mark(old, edit.replace):
        return _Refused(
            f"the line {mark!r} stands for lines that would be lost; write all of them, or only "
            "the lines that change, with SEARCH and REPLACE"
        )
    if mark := find_edit_mark(text or "", edit.replace):
        return _Refused(
            f"the line {mark[:80]!r} looks like a mark of an edit and would become text; write the "
            "marks as you were told: <<<<<<< SEARCH, =======, >>>>>>> REPLACE, each alone on a line"
        )
    if edit.search is None:
        return _replace_whole(edit, text)
    if text is None:
        if edit.search.strip():
            return _Refused("there is no such text file; to add it, leave SEARCH empty")
        return edit.replace
    if not edit.search.strip():
        return _Refused("SEARCH is empty, and the file exists; name the lines to be replaced")
    outcome = replace_lines(text, edit.search, edit.replace, edit.line)
    return _Refused(outcome.reason) if isinstance(outcome, NotFound) else outcome.text


def _replace_whole(edit: Edit, text: str | None) -> str | _Refused:
    loss = describe_loss(text or "", edit.replace)
    if loss is None:
        return edit.replace
    return _Refused(
        f"the block would take the place of the whole file, and {loss}; write the whole file from "
        "its first line to its last, or name with SEARCH the lines that are to go"
    )
