"""k6's text and place of the syntax error in a module that the engine cannot parse.

The engine reports its own text and the line, but no column. The place is found by a binary search: the
engine parses beginnings of the module, and the last token of the shortest wrong beginning is the token
that k6 names.
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from jsrunner.engine import expression_texts
from jsrunner.script.scanner import tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Returns the engine's error text for an ES module and its line; None without an error.
    Check = Callable[[str], tuple[str, int] | None]
    #: Returns (form, k6's text, the token that it names) of a mistake and the pattern's groups.
    Rule = Callable[..., tuple[str, str, "_Token"]]

#: The engine's errors for code that may stand in a CommonJS module, because that is a function's body.
_ONLY_IN_FUNCTIONS: Final = ("return not in a function", "new.target only allowed within functions")
#: The text behind a beginning: an error in any place, in a line of its own.
_STOP: Final = "\n\n@"
#: k6's text before a CommonJS module, which moves the columns of errors that k6 finds after parsing.
_WRAPPER: Final = "(function(module, exports){"


class _Token(NamedTuple):
    text: str
    line: int
    column: int


class _Mistake(NamedTuple):
    """The syntax error in a module."""

    #: The module's text.
    text: str
    #: QuickJS's error text.
    message: str
    #: The first wrong token; an empty token at the end of the text if there is none.
    wrong: _Token
    #: The tokens before the wrong one, the nearest first.
    before: list[_Token]
    #: The tokens behind the wrong one.
    after: list[_Token]

    @property
    def previous(self) -> _Token:
        """The token before the wrong one."""
        return self.before[0] if self.before else self.wrong

    def nearest(self, *words: str) -> _Token:
        """Return the nearest token before the wrong one, or that itself, that is one of these words."""
        return next((token for token in (self.wrong, *self.before) if token.text in words), self.wrong)


def explain(text: str, url: str, check: Check, *, is_commonjs: bool) -> str | None:
    """Return k6's text of the error in a module that the engine cannot parse.

    Args:
        text: The module's text.
        url: The module's URL.
        check: Returns the engine's error for the text of an ES module.
        is_commonjs: True if the module is a CommonJS module, in which `return` may stand anywhere.

    Returns:
        The text; None if the module has no error.
    """
    failure = check(text)
    if failure is not None and is_commonjs and failure[0] in _ONLY_IN_FUNCTIONS:
        text = _outside_functions(text)
        failure = check(text)
    if failure is None:
        return None
    mistake = _find(text, failure[0], check)
    form, message, at = _describe(mistake)
    if form == _PARSED:
        return f"{url}: Line {at.line}:{at.column} {message}"
    if form == _LINKED:
        return f"SyntaxError: {message}"
    shift = len(_WRAPPER) if is_commonjs and at.line == 1 else 0
    return f"SyntaxError: {message} at {url}:{at.line}:{at.column + shift}"


def _outside_functions(text: str) -> str:
    """Return a function's body without code that is only allowed in functions, at the same length."""
    text = re.sub(r"\breturn\b(?= *[^ ;}\n])", "void  ", text)
    return re.sub(r"\breturn\b|\bnew\.target\b", lambda match: "0".ljust(len(match[0])), text)


def _find(text: str, message: str, check: Check) -> _Mistake:
    spans = tokens(text)

    def is_wrong(count: int) -> bool:
        """Return True if the beginning with this number of tokens has the error itself."""
        beginning = text[: spans[count - 1][1]]
        failure = check(beginning + _STOP)
        return failure is not None and failure[0] == message and failure[1] <= beginning.count("\n") + 1

    at = bisect.bisect_left(range(1, len(spans) + 1), True, key=is_wrong)
    before = [_token(text, span) for span in reversed(spans[max(at - _NEAR, 0) : at])]
    wrong = _token(text, spans[at] if at < len(spans) else (len(text), len(text)))
    after = [_token(text, span) for span in spans[at + 1 : at + 1 + _NEAR]]
    return _Mistake(text, message, wrong, before, after)


#: The number of tokens before, and behind, the wrong token that rules see.
_NEAR: Final = 20


def _token(text: str, span: tuple[int, int]) -> _Token:
    start, end = span
    return _Token(text[start:end], text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))


#: The form of k6's text: the place stands before it for errors of the parser, behind it for errors of
#: the compiler, and is missing for errors of linking.
_PARSED, _COMPILED, _LINKED = "parsed", "compiled", "linked"

_RESERVED: Final = frozenset(("enum",))
_STRICT: Final = frozenset(
    ("implements", "interface", "package", "private", "protected", "public", "static")
)
_KEYWORDS: Final = frozenset(
    (
        "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default",
        "delete", "do", "else", "export", "extends", "false", "finally", "for", "function", "if",
        "import", "in", "instanceof", "let", "new", "null", "return", "super", "switch", "this",
        "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield",
    )
)  # fmt: skip


def _describe(mistake: _Mistake) -> tuple[str, str, _Token]:
    """Return the form, k6's text, and the token that it names."""
    for pattern, rule in _RULES:
        match = pattern.fullmatch(mistake.message)
        if match:
            return rule(mistake, *match.groups())
    return _unexpected(mistake)


def _unexpected(mistake: _Mistake) -> tuple[str, str, _Token]:
    """Describe a token that cannot stand in its place."""
    wrong = mistake.wrong
    word = wrong.text
    if word in _STRICT:
        return _COMPILED, "Unexpected strict mode reserved word", wrong
    if not word:
        kind = "end of input"
    elif word in _RESERVED:
        kind = "reserved word"
    elif word in _KEYWORDS:
        kind = f"token {word}"
    elif word[0] in "'\"":
        kind = "string" if len(word) > 1 and "escape" not in mistake.message else "token ILLEGAL"
    elif word[0].isdigit():
        kind = "number"
    elif word[0].isalpha() or word[0] in "_$":
        kind = "identifier"
    elif word[0] in "@#\\":
        kind = "token ILLEGAL"
    else:
        kind = f"token {word[0] if word[0] in '`}' else word}"
    return _PARSED, f"Unexpected {kind}", wrong


def _declared_twice(mistake: _Mistake) -> tuple[str, str, _Token]:
    at = mistake.previous
    if not _is_name(at.text):
        # The wrong token is behind a class, or a pattern that QuickJS parses twice.
        pattern = mistake.after if mistake.wrong.text in ("{", "[") else []
        seen = [token.text for token in (*pattern, *mistake.before) if _is_name(token.text)]
        again = [token for token in (*reversed(pattern), *mistake.before) if seen.count(token.text) > 1]
        at = again[0] if again else at
    for token in mistake.before:
        if token != at and token.text not in _DECLARES:
            break
        if token.text in ("export", "default"):
            return (
                _LINKED,
                f"Duplicate export name {'default' if token.text == 'default' else at.text}",
                at,
            )
    return _COMPILED, f"Identifier '{at.text}' has already been declared", at


_DECLARES: Final = frozenset(
    ("const", "let", "var", "function", "class", "default", "export", "async", "*")
)


def _is_name(word: str) -> bool:
    return bool(word) and (word[0].isalpha() or word[0] in "_$#") and word not in _KEYWORDS


def _repeated_parameter(mistake: _Mistake) -> tuple[str, str, _Token]:
    names = [token for token in mistake.before if _is_name(token.text)]
    seen = [token.text for token in names]
    at = next((token for token in names if seen.count(token.text) > 1), mistake.wrong)
    return _COMPILED, "Duplicate parameter name not allowed in this context", at


def _unknown_private_name(mistake: _Mistake, name: str) -> tuple[str, str, _Token]:
    match = re.search(rf"(?<=[.\s]){re.escape(name)}\b", mistake.text)
    at = _token(mistake.text, match.span()) if match else mistake.wrong
    return _COMPILED, f"Private field '{name}' must be declared in an enclosing class", at


def _number(mistake: _Mistake) -> tuple[str, str, _Token]:
    wrong = mistake.wrong
    separator = re.search("_(?=_|$)", wrong.text)
    if separator:
        at = wrong._replace(column=wrong.column + separator.end())
        return _PARSED, "Only one underscore is allowed as numeric separator", at
    return _PARSED, "Unexpected token ILLEGAL", wrong


def _octal(mistake: _Mistake) -> tuple[str, str, _Token]:
    if re.fullmatch("0[0-7]+", mistake.wrong.text):
        return _COMPILED, "Octal literals are not allowed in strict mode", mistake.wrong
    return _PARSED, "Unexpected token ILLEGAL", mistake.wrong


def _endless(mistake: _Mistake) -> tuple[str, str, _Token]:
    """Describe a string or a template without its end."""
    if mistake.wrong.text[:1] in ("'", '"'):
        return _PARSED, "Unexpected token ILLEGAL", mistake.wrong
    return _PARSED, "Unexpected end of input", _token(mistake.text, (len(mistake.text),) * 2)


def _assigned(mistake: _Mistake) -> tuple[str, str, _Token]:
    at = mistake.wrong
    before = mistake.before[1:] if mistake.previous.text.endswith("=") else mistake.before
    for token in before:
        if token.text in (";", "{", "}", "=>", "=", ",", "return"):
            break
        at = token
    return _PARSED, "Invalid left-hand side in assignment", at


def _accessor(mistake: _Mistake) -> tuple[str, str, _Token]:
    at = mistake.nearest("get", "set")
    if at.text == "get":
        return _PARSED, "Getter must not have any formal parameters.", at
    return _PARSED, "Setter must have exactly one formal parameter.", at


def _no_variable(mistake: _Mistake) -> tuple[str, str, _Token]:
    wrong = mistake.wrong
    if wrong.text in ("{", "["):
        return _PARSED, "Missing initializer in destructuring declaration", wrong
    if wrong.text == "let":
        return _COMPILED, "let is disallowed as a lexically bound name", wrong
    return _unexpected(mistake)


def _expression(mistake: _Mistake) -> tuple[str, str, _Token]:
    """Describe a regular expression that cannot be compiled, or other code that is no expression."""
    wrong = mistake.wrong
    pattern, slash, flags = wrong.text[1:].rpartition("/")
    if wrong.text[:1] != "/" or not slash:
        return _unexpected(mistake)
    if mistake.message == "invalid regular expression flags":
        return _COMPILED, f"Invalid flags supplied to RegExp constructor '{flags}'", wrong
    message = expression_texts.describe(mistake.message, pattern) or mistake.message
    return _COMPILED, message, wrong


def _rule(form: str, text: str, *words: str) -> Rule:
    """Return a rule whose text names the nearest of these words, or the wrong token without words."""

    def rule(mistake: _Mistake, *groups: str) -> tuple[str, str, _Token]:
        at = mistake.nearest(*words) if words else mistake.wrong
        return form, text.format(*groups), at

    return rule


def _rule_of_previous(form: str, text: str) -> Rule:
    """Return a rule whose text names the token before the wrong one."""
    return lambda mistake, *groups: (form, text.format(mistake.previous.text), mistake.previous)


def _label(mistake: _Mistake) -> tuple[str, str, _Token]:
    return _PARSED, f"Undefined label '{mistake.wrong.text}'", mistake.nearest("break", "continue")


def _not_async(mistake: _Mistake) -> tuple[str, str, _Token]:
    """Describe `await x` in a function that is not async: there `await` is a name, and `x` is wrong."""
    behind = next(iter(mistake.after), mistake.wrong)
    if mistake.previous.text == "for" or behind.line != mistake.wrong.line or _continues(behind.text):
        return _unexpected(mistake)
    return _unexpected(mistake._replace(wrong=behind))


def _continues(word: str) -> bool:
    """Return True if a token may stand behind a name."""
    return word not in ("{", "!", "~") and not (word[0].isalnum() or word[0] in "_$'\"#@")


def _no_as(mistake: _Mistake) -> tuple[str, str, _Token]:
    return _PARSED, f"Expected 'as' keyword, found '{mistake.wrong.text}' instead", mistake.wrong


#: The rules by patterns of QuickJS's text.
_RULES: Final[tuple[tuple[re.Pattern[str], Rule], ...]] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        ("invalid redefinition of .*|private class field is already defined", _declared_twice),
        ("duplicate exported name '(.*)'", _rule(_LINKED, "Duplicate export name {0}")),
        (
            "duplicate import binding",
            lambda mistake: (_LINKED, f"duplicate bounded name {mistake.previous.text}", mistake.wrong),
        ),
        (
            "exported variable '(.*)' does not exist",
            _rule(_COMPILED, 'exporting unknown binding: "{0}"', "export"),
        ),
        (
            "missing initializer for const variable",
            _rule_of_previous(_COMPILED, "Missing initializer in const declaration"),
        ),
        ("Duplicate parameter name .*", _repeated_parameter),
        (
            "cannot delete a direct reference in strict mode",
            _rule_of_previous(_COMPILED, "Delete of an unqualified identifier in strict mode"),
        ),
        (
            "invalid keyword: with",
            _rule(_COMPILED, "Strict mode code may not include a with statement"),
        ),
        (
            "invalid lvalue in strict mode",
            _rule(
                _COMPILED, "Assignment to eval or arguments is not allowed in strict mode",
                "arguments", "eval",
            ),
        ),
        (
            "property constructor appears more than once",
            _rule(_COMPILED, "A class may only have one constructor", "constructor"),
        ),
        ("undefined private field '(.*)'", _unknown_private_name),
        (
            "super\\(\\) is only valid in .*|'super' is only valid in .*",
            _rule(_COMPILED, "'super' keyword unexpected here", "super"),
        ),
        (
            "function declarations can't appear in single-statement context",
            _rule(
                _COMPILED,
                "In strict mode code, functions can only be declared at top level or inside a block.",
                "function",
            ),
        ),
        ("Octal .*", _octal),
        ("invalid number literal", _number),
        ("unexpected end of string", _endless),
        (
            "unexpected (?:line terminator in|end of) regexp",
            _rule(_PARSED, "Invalid regular expression: missing /"),
        ),
        (
            "expecting '\\)'|invalid group.*|extraneous .*|unexpected end|nothing to repeat"
            "|invalid class range|invalid regular expression flags",
            _expression,
        ),
        ("break must be inside loop or switch", _rule(_PARSED, "Illegal break statement", "break")),
        ("continue must be inside loop", _rule(_PARSED, "Illegal continue statement", "continue")),
        ("break/continue label not found", _label),
        ("duplicate label name", _rule_of_previous(_PARSED, "Label '{0}' already exists")),
        ("duplicate default", _rule(_PARSED, "Already saw a default in switch", "default")),
        ("return not in a function", _rule(_PARSED, "Illegal return statement", "return")),
        ("invalid assignment left-hand side|invalid increment/decrement operand", _assigned),
        (
            "unparenthesized unary expression .*",
            _rule(
                _PARSED,
                "Unary operator used immediately before exponentiation expression. Parenthesis must be "
                "used to disambiguate operator precedence",
            ),
        ),
        (
            "lexical declarations can't appear in single-statement context",
            _rule(
                _PARSED, "Lexical declaration cannot appear in a single-statement context",
                "const", "let",
            ),
        ),
        ("expecting catch or finally", _rule(_PARSED, "Missing catch or finally after try", "try")),
        (
            "invalid method name",
            _rule(_PARSED, "Classes may not have a static property named 'prototype'", "prototype"),
        ),
        ("invalid number of arguments for getter or setter", _accessor),
        ("variable name expected", _no_variable),
        ("expecting 'as'", _no_as),
        ("unexpected '(?:await|yield)' keyword", _not_async),
    )
)  # fmt: skip
