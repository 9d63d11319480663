"""Parser of selectors: CSS level 3 with the rules and the additions of Go's cascadia.

The additions are `[a!=v]`, `[a#=regexp]`, `:contains`, `:containsown`, `:matches`, `:matchesown`,
`:has`, `:haschild` and `:input`. An invalid selector matches nothing, as in goquery.
"""

from __future__ import annotations

import functools
import re
import warnings
from typing import TYPE_CHECKING, Final

from jsrunner.html import matching
from jsrunner.html.tree import ELEMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.html.matching import Selector
    from jsrunner.html.tree import Node, Tree


@functools.lru_cache(1024)
def compiled(text: str) -> Selector:
    """Return the compiled selector of a text; that of an invalid text matches nothing."""
    try:
        return _Parser(text).parse()
    except _SelectorError:
        return matching.NOTHING


def below(tree: Tree, node: Node, selector: Selector) -> Iterator[Node]:
    """Yield the nodes below a node that match, in document order.

    Texts and comments match only if they are no children of the node, as in goquery.
    """
    if selector is matching.NOTHING:
        return
    test = selector.test
    if tree.has_templates or not selector.elements_only:
        for candidate in tree.descendants(node):
            is_element = tree.kind(candidate) == ELEMENT
            if test(tree, candidate) and (is_element or not _is_child(candidate, node)):
                yield candidate
        return
    verify = tree.foreign or not selector.exact
    seen = {node.mem_id}
    for candidate in node.css(selector.css or "*"):
        if candidate.mem_id not in seen:
            seen.add(candidate.mem_id)
            if not verify or test(tree, candidate):
                yield candidate


def _is_child(node: Node, parent: Node) -> bool:
    actual = node.parent
    return actual is not None and actual.mem_id == parent.mem_id


class _SelectorError(ValueError):
    """The text is no selector."""


_SPACES: Final = re.compile(r"(?:[ \t\r\n\f]|/\*.*?\*/)*", re.DOTALL)
_NAME: Final = re.compile(
    r"(?:[\w-]|[^\x00-\x7f]|\\[0-9a-fA-F]{1,6}(?:\r\n|[ \t\r\n\f])?|\\[^\r\n\f0-9a-fA-F])+",
    re.ASCII,
)
_IDENTIFIER_START: Final = re.compile(r"-*(?:[A-Za-z_\\]|[^\x00-\x7f])")
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<hex>[0-9a-fA-F]{1,6})(?:\r\n|[ \t\r\n\f])?|(?P<line>\r\n|[\r\n\f])|(?P<character>.))",
    re.DOTALL,
)
_STRING: Final = re.compile(
    r""""(?:[^"\\\r\n\f]|\\(?:\r\n|.))*"|'(?:[^'\\\r\n\f]|\\(?:\r\n|.))*'""", re.DOTALL
)
_NTH: Final = re.compile(
    rf"(?P<step>[+-]?\d*)[nN]{_SPACES.pattern}(?:(?P<sign>[+-]){_SPACES.pattern}(?P<offset>\d+))?"
    r"|(?P<number>[+-]?\d+)",
    re.DOTALL | re.ASCII,
)
_ODD_EVEN: Final = re.compile(r"(?:odd|even)(?![\w\\-]|[^\x00-\x7f])", re.IGNORECASE | re.ASCII)
#: The most digits of a number that is parsed; it may have leading zeros.
_LONGEST_INT64: Final = 4000
_OPERATOR: Final = re.compile(r"[!~|^$*#]?=")


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        if match["line"]:
            return ""
        if match["hex"] is None:
            return match["character"]
        code = int(match["hex"], 16)
        valid = 0 <= code < 0xD800 or 0xE000 <= code < 0x110000
        return chr(code) if valid else "\ufffd"

    return _ESCAPE.sub(character, text) if "\\" in text else text


def _int64(text: str) -> int:
    """Parse a number; raise _SelectorError if it does not fit into 64 bits."""
    if len(text) > _LONGEST_INT64 or abs(number := int(text)) >> 63:
        raise _SelectorError("the number is too large")
    return number


class _Parser:
    """A recursive-descent parser of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def parse(self) -> Selector:
        group = self._group()
        if self._at < len(self._text):
            raise _SelectorError("text is left over")
        return group

    # -- tokens ------------------------------------------------------------------------------------

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise _SelectorError(f"expected {pattern.pattern}")
        self._at = match.end()
        return match

    def _skip(self, text: str) -> bool:
        is_next = self._text.startswith(text, self._at)
        if is_next:
            self._at += len(text)
        return is_next

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _spaces(self) -> bool:
        return self._take(_SPACES)[0] != ""

    def _name(self) -> str:
        return _unescaped(self._take(_NAME)[0])

    def _identifier(self) -> str:
        if not _IDENTIFIER_START.match(self._text, self._at):
            raise _SelectorError("expected an identifier")
        return self._name()

    def _value(self) -> str:
        """Parse a string or an identifier."""
        if self._peek() in ("'", '"'):
            return _unescaped(self._take(_STRING)[0][1:-1])
        return self._identifier()

    def _open(self) -> None:
        if not self._skip("("):
            raise _SelectorError("expected '('")
        self._spaces()

    def _close(self) -> None:
        self._spaces()
        if not self._skip(")"):
            raise _SelectorError("expected ')'")

    def _pattern(self) -> re.Pattern[str]:
        """Parse a regular expression, up to the first closing bracket that it has not opened."""
        start, depth = self._at, 0
        for at in range(start, len(self._text)):
            if self._text[at] in "([":
                depth += 1
            elif self._text[at] in ")]":
                depth -= 1
                if depth < 0:
                    self._at = at
                    return _go_pattern(self._text[start:at])
        raise _SelectorError("the regular expression has no end")

    # -- grammar -----------------------------------------------------------------------------------

    def _group(self) -> Selector:
        parts = [self._selector()]
        while self._skip(","):
            parts.append(self._selector())
        return matching.group(parts)

    def _selector(self) -> Selector:
        self._spaces()
        selector = self._compound()
        while True:
            combinator = " " if self._spaces() else ""
            character = self._peek()
            if character in ("+", ">", "~") and character:
                combinator = character
                self._at += 1
                self._spaces()
            if character in ("", ",", ")") or not combinator:
                return selector
            selector = matching.combination(selector, combinator, self._compound())

    def _compound(self) -> Selector:
        parts: list[Selector] = []
        character = self._peek()
        if character == "*":
            self._at += 1
            if self._at + 2 < len(self._text):
                self._skip("|*")
        elif character not in ("#", ".", "[", ":"):
            parts.append(matching.tag(self._identifier().lower()))
        while True:
            if self._skip("#"):
                parts.append(matching.attribute("id", "=", self._name(), ignore_case=False))
            elif self._skip("."):
                name = self._identifier()
                parts.append(matching.attribute("class", "~=", name, ignore_case=False))
            elif self._skip("["):
                parts.append(self._attribute())
            elif self._skip(":"):
                parts.append(self._pseudo_class())
            else:
                return matching.compound(parts)

    def _attribute(self) -> Selector:
        self._spaces()
        name = self._identifier().lower()
        self._spaces()
        if self._skip("]"):
            return matching.attribute(name, "", "", ignore_case=False)
        operator = self._take(_OPERATOR)[0]
        self._spaces()
        if operator == "#=":
            pattern = self._pattern()
            self._attribute_end()
            return matching.attribute_pattern(name, pattern)
        value = self._value()
        ignore_case = self._attribute_end()
        if operator == "!=":
            return matching.attribute_differs(name, value, ignore_case=ignore_case)
        return matching.attribute(name, operator, value, ignore_case=ignore_case)

    def _attribute_end(self) -> bool:
        """Parse the end of an attribute; return True if the case of its value does not matter."""
        self._spaces()
        ignore_case = self._skip("i") or self._skip("I")
        self._spaces()
        if not self._skip("]"):
            raise _SelectorError("expected ']'")
        return ignore_case

    def _pseudo_class(self) -> Selector:
        name = self._identifier().lower()
        if selector := matching.PSEUDO_CLASSES.get(name):
            return selector
        if name not in _WITH_ARGUMENT:
            raise _SelectorError("an unknown pseudo-class, or a pseudo-element")
        self._open()
        part = _WITH_ARGUMENT[name](self, name)
        self._close()
        return part

    def _negation(self, name: str) -> Selector:
        return matching.negation(self._group())

    def _has(self, name: str) -> Selector:
        return matching.has(self._group(), child=name == "haschild")

    def _contains(self, name: str) -> Selector:
        return matching.contains(self._value(), own=name == "containsown")

    def _matches(self, name: str) -> Selector:
        return matching.matches(self._pattern(), own=name == "matchesown")

    def _language(self, name: str) -> Selector:
        return matching.language(self._identifier().lower())

    def _nth(self, name: str) -> Selector:
        if word := _ODD_EVEN.match(self._text, self._at):
            self._at = word.end()
            step, offset = 2, 1 if word[0].lower() == "odd" else 0
        else:
            match = self._take(_NTH)
            if match["number"]:
                step, offset = 0, _int64(match["number"])
            else:
                step = _int64(f"{match['step']}1" if match["step"] in "+-" else match["step"])
                offset = _int64(f"{match['sign'] or ''}{match['offset'] or 0}")
        last, of_type = "last" in name, "of-type" in name
        return matching.nth(step, offset, last=last, of_type=of_type)


_WITH_ARGUMENT: Final = {
    "not": _Parser._negation,
    "has": _Parser._has,
    "haschild": _Parser._has,
    "contains": _Parser._contains,
    "containsown": _Parser._contains,
    "matches": _Parser._matches,
    "matchesown": _Parser._matches,
    "lang": _Parser._language,
    "nth-child": _Parser._nth,
    "nth-last-child": _Parser._nth,
    "nth-of-type": _Parser._nth,
    "nth-last-of-type": _Parser._nth,
}

# -- regular expressions ---------------------------------------------------------------------------

_POSIX_CLASSES: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
#: Expressions that only Python has: lookaround and references to groups.
_PYTHON_ONLY: Final = re.compile(r"(?<!\\)(?:\\\\)*(?:\(\?(?:<?[=!]|P=|\()|\\[1-9])")
_GO_ONLY: Final = re.compile(r"\\.|\[:(\w+):\]|\[\]?|\]|\$", re.DOTALL)


def _go_pattern(text: str) -> re.Pattern[str]:
    """Translate a regular expression of Go to Python. Raises _SelectorError if it is invalid."""
    if _PYTHON_ONLY.search(text):
        raise _SelectorError("Go has no such regular expressions")
    inside = False

    def translate(match: re.Match[str]) -> str:
        nonlocal inside
        token = match[0]
        if token.startswith("[") and not inside:
            inside = True
        elif token == "]":
            inside = False
        elif match[1]:
            return _POSIX_CLASSES.get(match[1], token)
        elif token == "[":
            return r"\["
        elif token == r"\z" or (token == "$" and not inside):
            return r"\Z"
        return token

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(_GO_ONLY.sub(translate, text), re.ASCII)
    except re.error as error:
        raise _SelectorError(str(error)) from None
