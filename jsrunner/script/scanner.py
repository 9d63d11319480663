"""Scanner of a module's text: finds its imports, `import.meta` and `import()` without running it.

This is no parser. It tells comments, strings, templates and regular expressions from the other code,
and reads the import and export declarations. The engine parses the text itself.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct, field


class Import(Struct, frozen=True):
    """A declaration `import ... from 'specifier'` or `export ... from 'specifier'`."""

    specifier: str
    #: The imported names; "default" for the default export.
    names: tuple[str, ...] = ()
    #: The begin and the end of `* as name`, if the module is imported as a namespace.
    namespace: tuple[int, int] | None = None
    #: The name of the namespace.
    namespace_name: str = ""
    #: True if the declaration is `export * from`.
    star: bool = False
    #: The offset of `with`, if there are attributes.
    attributes: int | None = None


class Scan(Struct):
    """The result of a scan: the imports of a module's text. Positions are offsets in the text."""

    imports: list[Import] = field(default_factory=list)
    #: The positions of `import.meta`.
    metas: list[int] = field(default_factory=list)
    #: The positions of `import(...)`.
    calls: list[int] = field(default_factory=list)

    def names_from(self, specifier: str) -> tuple[str, ...]:
        """Return the names that are imported from a specifier, each name once."""
        return tuple(
            dict.fromkeys(
                name
                for declaration in self.imports
                if declaration.specifier == specifier
                for name in declaration.names
            )
        )


#: A character of a name: a letter or digit of ASCII, `$`, `_`, or any character beyond ASCII. (A class
#: of the allowed characters, up to U+10FFFF, takes long to compile.)
_LETTER: Final = r"[^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]"
_STRING: Final = r"""(?:"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')"""
_COMMENT: Final = r"(?://[^\n\r\u2028\u2029]*|/\*.*?\*/)"
_NAME: Final = rf"(?:{_LETTER}+|{_STRING})"

#: The tokens that decide where code begins and ends. Others are skipped.
_TOKEN: Final = re.compile(
    rf"(?P<comment>{_COMMENT})|(?P<string>{_STRING})|(?P<mark>[`/(){{}}\[\]])"
    rf"|(?<!{_LETTER})(?<!\#)(?P<word>import|export)(?!{_LETTER})",
    re.DOTALL,
)
#: Any other token: a word, a number, or a mark of one to four characters. (Patterns that few texts need
#: are compiled when they are used; `re` keeps them.)
_PLAIN_TOKEN: Final = (
    rf"\.?\d(?:[eE][+-]|[\w.])*|\#?{_LETTER}+|=>|\.{{3}}|\?\.(?!\d)|>>>=|\*\*=|\?\?=|&&=|\|\|=|===|!==|>>>|<<=|>>="
    r"|[=!<>+\-*/%&|^]=|\+\+|--|\*\*|\?\?|&&|\|\||<<|>>|[^\s\w]"
)
_TEMPLATE: Final = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?P<end>`|\$\{)", re.DOTALL)
_REGEXP: Final = re.compile(r"/(?:[^/\\\[\n\r]|\\.|\[(?:[^\]\\\n\r]|\\.)*\])+/[\w$]*")
_WORD_BEFORE: Final = re.compile(rf"{_LETTER}+\Z")

#: The code behind a name that is written as a string.
_IN_BRACES: Final = r"(?=\s*(?:as\b|[,}]))"
#: A declaration up to its specifier. `_imported` reads the clause.
_DECLARATION: Final = re.compile(
    rf"(?P<clause>(?:[^\"'/;(=`]|{_COMMENT}|{_STRING}{_IN_BRACES})*?)"
    rf"(?P<specifier>{_STRING})(?!{_IN_BRACES})"
    rf"(?:\s*(?P<attributes>with)\s*(?=\{{))?",
    re.DOTALL,
)
_FROM: Final = r"\s*\bfrom\s*\Z"
_DEFAULT: Final = rf"\s*({_LETTER}+)\s*(?:,|\Z)"
_NAMESPACE: Final = rf"\*\s*as\s+({_NAME})"
_NAMED: Final = rf"({_NAME})(?:\s+as\s+{_NAME}|{_STRING})?\s*(?:,|\Z)"
_META: Final = re.compile(r"import\.meta(?![\w$])")
_CALL: Final = re.compile(rf"import(?:\s|{_COMMENT})*\(", re.DOTALL)

#: The words after which a slash begins a regular expression, and a brace an object.
_OPERATORS: Final = frozenset(
    (
        "await", "case", "delete", "do", "else", "in", "instanceof", "new", "of", "return", "throw",
        "typeof", "void", "yield",
    )
)  # fmt: skip
_BEFORE_A_BLOCK: Final = frozenset(("do", "else", "finally", "try"))
_BEFORE_A_CONDITION: Final = frozenset(("for", "if", "while", "with"))


def scan(text: str) -> Scan:
    """Scan the text of an ES module. Of a text that is no module the result may be incomplete."""
    return _Scanner(text).run()


def tokens(text: str) -> list[tuple[int, int]]:
    """Return the begins and ends of the tokens of a module's text, without comments.

    A string, a regular expression and each piece of a template between its expressions are one token,
    unless their end is missing.
    """
    scanner = _Scanner(text)
    scanner.run(find_imports=False)
    spans: list[tuple[int, int]] = []
    plain_token = re.compile(_PLAIN_TOKEN)
    at = 0
    for start, end in [*scanner.spans, (len(text), len(text))]:
        spans += [match.span() for match in plain_token.finditer(text, at, start)]
        if end > start and not text.startswith(("//", "/*"), start):
            spans.append((start, end))
        at = max(at, end)
    return spans


class _Scanner:
    """The scanner of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._result = Scan()
        #: Comments, strings, regular expressions and pieces of templates.
        self.spans: list[tuple[int, int]] = []
        #: The open brackets with their positions; "`" for the expression of a template.
        self._open: list[tuple[str, int]] = []
        #: The begins of comments by their ends.
        self._comments: dict[int, int] = {}
        #: True if an operand, and so a regular expression, may follow a closing bracket, by its
        #: position.
        self._operand_follows: dict[int, bool] = {}

    def run(self, *, find_imports: bool = True) -> Scan:
        """Scan the text."""
        text, at = self._text, 0
        while (match := _TOKEN.search(text, at)) is not None:
            start, at = match.start(), match.end()
            if match["comment"]:
                self._comments[at] = start
                self.spans.append((start, at))
            elif match["word"]:
                at = self._declaration(match["word"], start, at) if find_imports else at
            elif match["mark"] == "`":
                at = self._template(at)
                self.spans.append((start, at))
            elif match["mark"] == "/":
                pattern = _REGEXP.match(text, start) if self._operand_may_follow(start) else None
                at = pattern.end() if pattern else at
                if pattern:
                    self.spans.append((start, at))
            elif match["mark"]:
                at = self._bracket(match["mark"], start)
                if at > start + 1:  # the rest of a template
                    self.spans.append((start, at))
            else:
                self.spans.append((start, at))
        return self._result

    # -- code, texts, patterns ---------------------------------------------------------------------

    def _template(self, at: int) -> int:
        """Return the position behind a template, or behind the `${` of its next expression."""
        match = _TEMPLATE.match(self._text, at)
        if match is None:
            return len(self._text)
        if match["end"] != "`":
            self._open.append(("`", match.end()))
        return match.end()

    def _bracket(self, mark: str, start: int) -> int:
        """Open or close a bracket; return the position behind it."""
        if mark in "([{":
            self._open.append((mark, start))
            if mark == "{":
                self._operand_follows[start] = self._begins_a_block(start)
            return start + 1
        opening, opened_at = self._open.pop() if self._open else ("", 0)
        if opening == "`" and mark == "}":
            return self._template(start + 1)
        if opening == "{":
            self._operand_follows[start] = self._operand_follows.get(opened_at, True)
        elif opening == "(":
            self._operand_follows[start] = self._word_before(opened_at) in _BEFORE_A_CONDITION
        return start + 1

    def _significant_before(self, at: int) -> int:
        """Return the end of the code before `at`, without blanks and comments."""
        text = self._text
        while at > 0:
            if at in self._comments:
                at = self._comments[at]
            elif text[at - 1].isspace():
                at -= 1
            else:
                break
        return at

    def _word_before(self, at: int) -> str:
        """Return the word before `at`, or "" if there is none or if it is a property's name."""
        end = self._significant_before(at)
        match = _WORD_BEFORE.search(self._text, max(0, end - 32), end)
        word = match[0] if match else ""
        return "" if word and self._text[end - len(word) - 1 : end - len(word)] == "." else word

    def _operand_may_follow(self, at: int) -> bool:
        """Return True if an operand may follow the code before `at`: then a slash begins a pattern."""
        end = self._significant_before(at)
        before = self._text[end - 1 : end]
        if before in (")", "}"):
            return self._operand_follows.get(end - 1, True)
        if before in ("]", '"', "'", "`"):
            return False
        if before and (before.isalnum() or before in "_$" or before > "\x7f"):
            return self._word_before(at) in _OPERATORS
        return self._text[end - 2 : end] not in ("++", "--")

    def _begins_a_block(self, at: int) -> bool:
        """Return True if the brace at `at` begins a block instead of an object."""
        end = self._significant_before(at)
        before = self._text[end - 1 : end]
        if before in ("", ";", "{", "}", ")") or self._text[end - 2 : end] == "=>":
            return True
        if before == ":":  # of a label, or of a property
            outer, opened_at = self._open[-2] if len(self._open) > 1 else ("{", -1)
            return outer == "{" and self._operand_follows.get(opened_at, True)
        word = self._word_before(at)
        return bool(word) and (word in _BEFORE_A_BLOCK or word not in _OPERATORS)

    # -- declarations ------------------------------------------------------------------------------

    def _declaration(self, word: str, start: int, at: int) -> int:
        """Read what begins with `import` or `export`; return the position behind it."""
        text = self._text
        end = self._significant_before(start)
        if text[end - 1 : end] == "." and text[end - 3 : end] != "...":
            return at  # a property of that name
        if word == "import" and (meta := _META.match(text, start)):
            self._result.metas.append(start)
            return meta.end()
        if word == "import" and _CALL.match(text, start):
            self._result.calls.append(start)
            return at
        if self._open:
            return at
        match = _DECLARATION.match(text, at)
        declaration = None if match is None else _imported(word, match)
        if match is None or declaration is None:
            return at
        self._result.imports.append(declaration)
        return match.end()


def _imported(word: str, match: re.Match[str]) -> Import | None:
    """Return the import of a declaration, or None for a declaration that only contains a string."""
    # Comments go, but everything else stays in its place.
    clause = match["clause"]
    if "/" in clause:
        clause = re.sub(_COMMENT, lambda comment: " " * len(comment[0]), clause, flags=re.DOTALL)
    names: list[str] = []
    namespace = re.search(_NAMESPACE, clause) if "*" in clause else None
    end = re.search(_FROM, clause)
    if end is None and (word == "export" or clause.strip()):
        return None
    before, brace, inner = clause[: end.start() if end else None].partition("{")
    if word == "import" and before.strip() and re.match(_DEFAULT, before):
        names.append("default")
    elif word == "export" and not brace and "*" not in before:
        return None
    if brace:
        names += [_unquoted(name) for name in re.findall(_NAMED, inner.rpartition("}")[0])]
    start = match.start("clause")
    return Import(
        specifier=_unquoted(match["specifier"]),
        names=tuple(names),
        namespace=(start + namespace.start(), start + namespace.end()) if namespace else None,
        namespace_name=namespace[1] if namespace else "",
        star=word == "export" and "*" in before and namespace is None,
        attributes=match.start("attributes") if match["attributes"] else None,
    )


_ESCAPE: Final = (
    r"(?s)\\(?:u\{(?P<code>[0-9A-Fa-f]+)\}|u(?P<four>[0-9A-Fa-f]{4})|x(?P<two>[0-9A-Fa-f]{2})"
    r"|(?P<line>\r\n|[\n\r\u2028\u2029])|(?P<other>.))"
)
_CONTROLS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}


def _unquoted(text: str) -> str:
    """Return the value of a string literal, or a name as it is."""
    if text[:1] not in ("'", '"'):
        return text

    def character(match: re.Match[str]) -> str:
        code = match["code"] or match["four"] or match["two"]
        if code:
            return chr(int(code, 16))
        return "" if match["line"] else _CONTROLS.get(match["other"], match["other"])

    return re.sub(_ESCAPE, character, text[1:-1]) if "\\" in text else text[1:-1]
