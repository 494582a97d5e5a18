"""The numbers of YAML: plain scalars, whichever version of YAML the program reads."""

from functools import lru_cache

import yaml

from loreley.core.agents.genetic.source.data.entries import UNSOUND, DataFile, Entries, Nesting

# The one in C is the quicker by far, and not always there.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MARK = "\ufeff"  # of the byte order, which the two loaders count differently


@lru_cache(maxsize=16)
def read_yaml(source: str) -> DataFile:
    """The numbers of all documents in ``source``; an anchored one counts where it is written."""
    entries = Entries(source, needs_point=True)
    ahead = len(source) - len(source.removeprefix(_MARK))
    nesting = Nesting(entries)
    try:
        for event in yaml.parse(source[ahead:], Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                entries.document += 1
                nesting = Nesting(entries)
            else:
                _take(event, nesting, source, ahead)
    except (yaml.YAMLError, ValueError):
        return UNSOUND
    return entries.finish()


def _take(event: yaml.Event, nesting: Nesting, source: str, ahead: int) -> None:
    if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
        nesting.open(is_mapping=isinstance(event, yaml.MappingStartEvent))
    elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
        nesting.close()
    elif isinstance(event, yaml.AliasEvent):
        nesting.take(f"*{event.anchor}", 0, 0, is_plain=False)
    elif isinstance(event, yaml.ScalarEvent) and event.end_mark is not None:
        # Its anchor comes first; a tag, which says that it is something else, does as well.
        end = event.end_mark.index + ahead
        start = end - len(event.value)
        is_plain = event.implicit[0] and not event.style and source[start:end] == event.value
        nesting.take(event.value, start, end, is_plain=is_plain)
