"""What stands in the source of languages other than Python and is no code: comments and texts.

Not by Pygments, for which raw strings of Swift and C#, quotes of Perl and indented heredocs of PHP
are code.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """A text with code in it, or a comment that may hold another; all but flags are patterns."""

    opens: str
    closes: str
    hole: str = ""  # behind it stands code, up to the bracket that closes the hole's
    escapes: bool = True  # whether a backslash keeps a quote from closing
    is_comment: bool = False  # it nests


@dataclass(frozen=True, slots=True)
class LexicalRules:
    """The patterns of a language; groups in them have names that are no kind of token."""

    comments: str
    strings: str = ""  # beside double quotes, backticks and single characters on one line
    spans: tuple[Span, ...] = ()
    names: str = ""  # beside words
    has_braces: bool = False  # around statements; these also have lines for a preprocessor
    has_regexes: bool = False  # between slashes, where no operand comes before


_LINE = r"//[^\n]*+"
_BLOCK = r"/\*[\s\S]*?(?:\*/|\Z)"
_SLASHES = f"{_LINE}|{_BLOCK}"
_HASH = r"\#[^\n]*+"
_DASHES = r"--[^\n]*+"

_NESTED = Span(r"/\*", r"\*/", is_comment=True)
_NESTED_BRACES = Span(r"\{-", r"-\}", is_comment=True)

# Behind a word it is a prime (Haskell), a transposition (Julia), an attribute (Ada).
_QUOTED = r"(?<![\w)\]])'(?:\\[^\n]|[^'\\\n])*+'"
_QUOTED_LINES = r"(?<![\w)\]])'(?:\\[\s\S]|[^'\\])*+'?"
_SINGLE_LINES = r"'(?:\\[\s\S]|[^'\\])*+'?"
_DOUBLE_LINES = r'"(?:\\[\s\S]|[^"\\])*+"?'
_RAW_BACKTICKS = r"`[^`]*+`?"
_TRIPLE = r'"""(?:\\[\s\S]|(?!""")[^\\])*+(?:""")?'
_RAW_TRIPLE = r'"""[\s\S]*?(?:"""+|\Z)'
_CHARACTER = r"(?<![\w)\]}])\?\\?\S(?!\w)"  # `?5`


def _heredoc(opens: str) -> str:
    """A text that begins below the line of its tag, and ends with a line that holds the tag."""
    tag = r"(?P<mark>[\"'`\\]?)(?P<tag>[A-Za-z_]\w*)(?P=mark)?[^\n]*\n"
    return rf"{opens}{tag}(?:[^\n]*\n)*?(?:(?(indent)[ \t]*)(?P=tag)(?!\w)|[^\n]*\Z)"


def _delimited(words: str, count: int = 1, after: str = "") -> str:
    """What Perl and Ruby write between signs of choice, ``count`` times behind each other."""
    pairs = {r"\(": r"\)", r"\[": r"\]", r"\{": r"\}", "<": ">"}
    bodies = []
    for left, right in pairs.items():
        body = rf"{left}(?:\\[\s\S]|[^\\{right}])*+(?:{right}|\Z)"
        bodies.append(body + rf"(?:\s*{body})?" * (count - 1))
    same = r"(?:(?:\\[\s\S]|(?!(?P=DELIMITER))[^\\])*+(?P=DELIMITER))" + f"{{{count}}}"
    name = f"delimiter{count}"
    bodies.append(rf"(?P<{name}>[^\w\s(\[{{<,;=)])" + same.replace("DELIMITER", name))
    return rf"(?:{words})(?:{'|'.join(bodies)}){after}"


def _holed(quote: str, hole: str) -> tuple[Span, Span]:
    """Texts with code in them: of many lines in three quotes, of one line in one."""
    return Span(quote * 3, quote * 3, hole), Span(quote, rf"{quote}|(?=\n)", hole)


C = LexicalRules(
    _SLASHES,
    r'(?<!\w)(?:u8|[uUL])?R"(?P<mark>[^()\\\s"]{0,16})\([\s\S]*?(?:\)(?P=mark)"|\Z)',
    has_braces=True,
)
RUST = LexicalRules(
    _LINE,
    rf'(?<!\w)[bc]?r(?P<mark>\#*)"[\s\S]*?(?:"(?P=mark)|\Z)|{_DOUBLE_LINES}',
    (_NESTED,),
    has_braces=True,
)
GO = LexicalRules(_SLASHES, _RAW_BACKTICKS, has_braces=True)
JAVA = LexicalRules(_SLASHES, _TRIPLE, has_braces=True)
KOTLIN = LexicalRules(
    _LINE,
    spans=(
        _NESTED,
        Span('"""', '"""+', r"\$\{", escapes=False),
        Span('"', r'"|(?=\n)', r"\$\{"),
    ),
    has_braces=True,
)
SCALA = LexicalRules(
    _LINE,
    _RAW_TRIPLE,
    (
        _NESTED,
        Span(r'(?<=\w)"""', '"""+', r"\$\{", escapes=False),
        Span(r'(?<=\w)"', r'"|(?=\n)', r"\$\{"),
    ),
    has_braces=True,
)
SWIFT = LexicalRules(
    _LINE,
    r'(?P<mark>\#+)(?P<quote>"""|")[\s\S]*?(?:(?P=quote)(?P=mark)|\Z)',
    (_NESTED, *_holed('"', r"\\\(")),
    has_braces=True,
)
C_SHARP = LexicalRules(
    _SLASHES,
    r'(?:@\$?|\$@)"(?:""|[^"])*+"?|\$*(?P<mark>"{3,})[\s\S]*?(?:(?P=mark)|\Z)',
    (Span(r'\$"', r'"|(?=\n)', r"\{(?!\{)|\{\{(?=\{)"),),
    has_braces=True,
)
D = LexicalRules(
    _SLASHES,
    rf'(?<!\w)r"[^"]*+"?|{_RAW_BACKTICKS}|{_DOUBLE_LINES}',
    (Span(r"/\+", r"\+/", is_comment=True),),
    has_braces=True,
)
ZIG = LexicalRules(_LINE, r"\\\\[^\n]*+", has_braces=True)
JAVASCRIPT = LexicalRules(
    _SLASHES, _QUOTED, (Span("`", "`", r"\$\{"),), has_braces=True, has_regexes=True
)
PHP = LexicalRules(
    rf"(?:\A|\?>)[\s\S]*?(?:<\?(?:php\b|=)|\Z)|{_SLASHES}|{_HASH}",
    "|".join([_heredoc(r"<<<(?P<indent>[ \t]*)"), _DOUBLE_LINES, _SINGLE_LINES]),
    has_braces=True,
)
DART = LexicalRules(
    _LINE,
    r"""(?<!\w)r(?P<mark>'''|\"\"\"|'|")[\s\S]*?(?:(?P=mark)|\Z)""",
    (_NESTED, *_holed('"', r"\$\{"), *_holed("'", r"\$\{")),
    has_braces=True,
)

RUBY = LexicalRules(
    rf"^=begin\b[\s\S]*?(?:^=end\b[^\n]*|\Z)|^__END__\b[\s\S]*|{_HASH}",
    "|".join(
        [
            _heredoc(r"(?<![\w)\]])<<(?P<indent>[-~])?"),
            _delimited(r"(?<![\w)\]}.$@])%[qQwWiIrxs]"),
            _CHARACTER,
            _QUOTED_LINES,
        ]
    ),
    (Span('"', '"', r"\#\{"), Span("`", "`", r"\#\{")),
    has_regexes=True,
)
PERL = LexicalRules(
    rf"^=[a-z][\s\S]*?(?:^=cut\b[^\n]*|\Z)|^__(?:END|DATA)__\b[\s\S]*|{_HASH}",
    "|".join(
        [
            _heredoc(r"(?<![\w)\]}])<<(?P<indent>~)?"),
            _delimited(r"(?<![\w$@%&>{:-])(?:q[qwrx]?|m)[ ]?", after="[a-z]*"),
            _delimited(r"(?<![\w$@%&>{:-])(?:s|tr|y)[ ]?", 2, after="[a-z]*"),
            _DOUBLE_LINES,
            _QUOTED_LINES,
        ]
    ),
    names=r"\$\#?\w++|\$\#",
    has_regexes=True,
)
SHELL = LexicalRules(
    r"(?<![^\s;&|()`])\#[^\n]*+",
    "|".join(
        [
            _heredoc(r"(?<!<)<<(?P<indent>-)?[ \t]*"),
            r"\$'(?:\\[\s\S]|[^'\\])*+'?|'[^']*+'?|`(?:\\[\s\S]|[^`\\])*+`?|\\(?![\r\n]).",
        ]
    ),
    (Span('"', '"', r"\$\("),),
    names=r"\$\{?\#?\w++|\$\{?\#|[0-9]?[<>]&[0-9-]|(?<!\w)[0-9](?=[<>])",
)
ELIXIR = LexicalRules(
    _HASH,
    "|".join([_delimited(r"~[a-zA-Z]"), _CHARACTER, _QUOTED_LINES]),
    (Span('"""', '"""', r"\#\{"), Span('"', '"', r"\#\{")),
)
JULIA = LexicalRules(
    _HASH,
    _QUOTED,
    (
        Span(r"\#=", r"=\#", is_comment=True),
        Span('"""', '"""', r"\$\("),
        Span('"', '"', r"\$\("),
    ),
)
NIM = LexicalRules(
    _HASH,
    rf'{_RAW_TRIPLE}|(?<=\w)"(?:""|[^"\n])*+"?|{_QUOTED}',
    (Span(r"\#\[", r"\]\#", is_comment=True),),
)
R = LexicalRules(
    _HASH,
    r"""(?<!\w)[rR](?P<quote>["'])(?P<mark>-*)[(\[{][\s\S]*?(?:[)\]}](?P=mark)(?P=quote)|\Z)|"""
    rf"{_DOUBLE_LINES}|{_SINGLE_LINES}",
)
AWK = LexicalRules(_HASH, has_regexes=True)

LUA = LexicalRules(
    rf"--\[(?P<rest>=*)\[[\s\S]*?(?:\](?P=rest)\]|\Z)|{_DASHES}",
    rf"\[(?P<mark>=*)\[[\s\S]*?(?:\](?P=mark)\]|\Z)|{_QUOTED}",
)
SQL = LexicalRules(rf"{_DASHES}|{_BLOCK}", rf"{_SINGLE_LINES}|{_DOUBLE_LINES}")
HASKELL = LexicalRules(_DASHES, _QUOTED, (_NESTED_BRACES,))
ELM = LexicalRules(_DASHES, rf"{_TRIPLE}|{_QUOTED}", (_NESTED_BRACES,))
ADA = LexicalRules(_DASHES, _QUOTED)
SETTINGS = LexicalRules(rf"{_HASH}|^[ \t]*+;[^\n]*+", _QUOTED)
