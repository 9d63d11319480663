"""Finds in the text of a module what it imports, `import.meta` and `import()`, without running it.

This is no parser: it tells comments, strings, templates and regular expressions from the rest, and
reads the import and export declarations. What it finds helps the engine, which parses for itself.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct, field


class Import(Struct, frozen=True):
    """`import ... from 'specifier'` or `export ... from 'specifier'`."""

    specifier: str
    #: What is imported by name, "default" among it.
    names: tuple[str, ...] = ()
    #: Where `* as name` begins and ends, if the module is imported as a namespace.
    namespace: tuple[int, int] | None = None
    #: The name in that.
    namespace_name: str = ""
    #: `export * from`.
    star: bool = False
    #: Where `with` stands, if there are attributes.
    attributes: int | None = None


class Scan(Struct):
    """What a module's text has."""

    imports: list[Import] = field(default_factory=list)
    #: Where `import.meta` begins.
    metas: list[int] = field(default_factory=list)
    #: Where `import(...)` begins.
    calls: list[int] = field(default_factory=list)

    def names_from(self, specifier: str) -> tuple[str, ...]:
        """What is imported by name from a specifier, each name once."""
        return tuple(
            dict.fromkeys(
                name for one in self.imports if one.specifier == specifier for name in one.names
            )
        )


#: A character of a name: of ASCII letters, digits, `$` and `_`, and all beyond. (A class that says
#: so itself, up to U+10FFFF, takes long to compile.)
_LETTER: Final = r"[^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]"
_STRING: Final = r"""(?:"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')"""
_COMMENT: Final = r"(?://[^\n\r\u2028\u2029]*|/\*.*?\*/)"
_NAME: Final = rf"(?:{_LETTER}+|{_STRING})"

#: Everything that matters for where code begins and ends. All else is skipped.
_TOKEN: Final = re.compile(
    rf"(?P<comment>{_COMMENT})|(?P<string>{_STRING})|(?P<mark>[`/(){{}}\[\]])"
    rf"|(?<!{_LETTER})(?<!\#)(?P<word>import|export)(?!{_LETTER})",
    re.DOTALL,
)
#: A token that is none of these: a word, a number, or a mark of one to four characters.
_PLAIN_TOKEN: Final = re.compile(
    rf"\.?\d(?:[eE][+-]|[\w.])*|\#?{_LETTER}+|=>|\.{{3}}|\?\.(?!\d)|>>>=|\*\*=|\?\?=|&&=|\|\|=|===|!==|>>>|<<=|>>="
    r"|[=!<>+\-*/%&|^]=|\+\+|--|\*\*|\?\?|&&|\|\||<<|>>|[^\s\w]"
)
_TEMPLATE: Final = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?P<end>`|\$\{)", re.DOTALL)
_REGEXP: Final = re.compile(r"/(?:[^/\\\[\n\r]|\\.|\[(?:[^\]\\\n\r]|\\.)*\])+/[\w$]*")
_WORD_BEFORE: Final = re.compile(rf"{_LETTER}+\Z")

#: What follows a name that is written as a string.
_IN_BRACES: Final = r"(?=\s*(?:as\b|[,}]))"
#: A declaration as far as its specifier; what is between them is read piece by piece.
_DECLARATION: Final = re.compile(
    rf"(?P<clause>(?:[^\"'/;(=`]|{_COMMENT}|{_STRING}{_IN_BRACES})*?)"
    rf"(?P<specifier>{_STRING})(?!{_IN_BRACES})"
    rf"(?:\s*(?P<attributes>with)\s*(?=\{{))?",
    re.DOTALL,
)
_FROM: Final = re.compile(r"\s*\bfrom\s*\Z")
_DEFAULT: Final = re.compile(rf"\s*({_LETTER}+)\s*(?:,|\Z)")
_NAMESPACE: Final = re.compile(rf"\*\s*as\s+({_NAME})")
_NAMED: Final = re.compile(rf"({_NAME})(?:\s+as\s+{_NAME}|{_STRING})?\s*(?:,|\Z)")
_META: Final = re.compile(r"import\.meta(?![\w$])")
_CALL: Final = re.compile(rf"import(?:\s|{_COMMENT})*\(", re.DOTALL)

#: Words after which a slash begins a regular expression, and a brace an object.
_OPERATORS: Final = frozenset(
    (
        "await", "case", "delete", "do", "else", "in", "instanceof", "new", "of", "return", "throw",
        "typeof", "void", "yield",
    )
)  # fmt: skip
_BEFORE_A_BLOCK: Final = frozenset(("do", "else", "finally", "try"))
_BEFORE_A_CONDITION: Final = frozenset(("for", "if", "while", "with"))


def scan(text: str) -> Scan:
    """What an ES module imports. Text that is no module gives whatever is found before it is lost."""
    return _Scanner(text).run()


def tokens(text: str) -> list[tuple[int, int]]:
    """Return where each token of a module's text begins and ends, comments left out.

    Strings, regular expressions and the pieces of a template between its expressions are one token
    each, as far as they have an end.
    """
    scanner = _Scanner(text)
    scanner.run(whole=True)
    found: list[tuple[int, int]] = []
    at = 0
    for start, end in [*scanner.spans, (len(text), len(text))]:
        found += [match.span() for match in _PLAIN_TOKEN.finditer(text, at, start)]
        if end > start and not text.startswith(("//", "/*"), start):
            found.append((start, end))
        at = max(at, end)
    return found


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._found = Scan()
        #: Comments, strings, regular expressions and pieces of templates.
        self.spans: list[tuple[int, int]] = []
        #: Brackets that are open: what is closed by a "`" is the rest of a template.
        self._open: list[tuple[str, int]] = []
        #: Where a comment ends -> where it begins.
        self._comments: dict[int, int] = {}
        #: Where a closing bracket stands -> whether an operand may follow, and so a regular expression.
        self._operand_follows: dict[int, bool] = {}

    def run(self, *, whole: bool = False) -> Scan:
        """Scan the text; if `whole`, without looking for declarations."""
        text, at = self._text, 0
        while (match := _TOKEN.search(text, at)) is not None:
            start, at = match.start(), match.end()
            if match["comment"]:
                self._comments[at] = start
                self.spans.append((start, at))
            elif match["word"]:
                at = at if whole else self._declaration(match["word"], start, at)
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
        return self._found

    # -- code, texts, patterns ---------------------------------------------------------------------

    def _template(self, at: int) -> int:
        """Behind the template, or behind the `${` of its next expression."""
        match = _TEMPLATE.match(self._text, at)
        if match is None:
            return len(self._text)
        if match["end"] != "`":
            self._open.append(("`", match.end()))
        return match.end()

    def _bracket(self, mark: str, start: int) -> int:
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
        """Where the code before `at` ends, without blanks and comments."""
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
        end = self._significant_before(at)
        match = _WORD_BEFORE.search(self._text, max(0, end - 32), end)
        word = match[0] if match else ""
        return "" if word and self._text[end - len(word) - 1 : end - len(word)] == "." else word

    def _operand_may_follow(self, at: int) -> bool:
        """Whether the code before `at` asks for an operand: then a slash begins a pattern."""
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
        text = self._text
        end = self._significant_before(start)
        if text[end - 1 : end] == "." and text[end - 3 : end] != "...":
            return at  # a property of that name
        if word == "import" and (meta := _META.match(text, start)):
            self._found.metas.append(start)
            return meta.end()
        if word == "import" and _CALL.match(text, start):
            self._found.calls.append(start)
            return at
        if self._open:
            return at
        match = _DECLARATION.match(text, at)
        one = None if match is None else _imported(word, match)
        if match is None or one is None:
            return at
        self._found.imports.append(one)
        return match.end()


def _imported(word: str, match: re.Match[str]) -> Import | None:
    """What a declaration imports; None if it is another one, which has a text in it."""
    # Comments go, but everything else stays in its place.
    clause = _ANY_COMMENT.sub(lambda one: " " * len(one[0]), match["clause"])
    names: list[str] = []
    namespace = _NAMESPACE.search(clause)
    end = _FROM.search(clause)
    if end is None and (word == "export" or clause.strip()):
        return None
    before, brace, inner = clause[: end.start() if end else None].partition("{")
    if word == "import" and _DEFAULT.match(before):
        names.append("default")
    elif word == "export" and not brace and "*" not in before:
        return None
    if brace:
        names += [_unquoted(one) for one in _NAMED.findall(inner.rpartition("}")[0])]
    start = match.start("clause")
    return Import(
        specifier=_unquoted(match["specifier"]),
        names=tuple(names),
        namespace=(start + namespace.start(), start + namespace.end()) if namespace else None,
        namespace_name=namespace[1] if namespace else "",
        star=word == "export" and "*" in before and namespace is None,
        attributes=match.start("attributes") if match["attributes"] else None,
    )


_ANY_COMMENT: Final = re.compile(_COMMENT, re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:u\{(?P<code>[0-9A-Fa-f]+)\}|u(?P<four>[0-9A-Fa-f]{4})|x(?P<two>[0-9A-Fa-f]{2})"
    r"|(?P<line>\r\n|[\n\r\u2028\u2029])|(?P<other>.))",
    re.DOTALL,
)
_CONTROLS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}


def _unquoted(text: str) -> str:
    """The value of a string literal, or a name as it is."""
    if text[:1] not in ("'", '"'):
        return text

    def character(match: re.Match[str]) -> str:
        code = match["code"] or match["four"] or match["two"]
        if code:
            return chr(int(code, 16))
        return "" if match["line"] else _CONTROLS.get(match["other"], match["other"])

    return _ESCAPE.sub(character, text[1:-1])
