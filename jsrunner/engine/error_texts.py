"""k6's texts of the language's own errors.

Scripts compare the texts of errors, and people read them. k6's engine (sobek) has other texts than
QuickJS, and most of them name what was wrong. When QuickJS makes an error, `error_texts.js` asks here
for the text that k6 would have given it. `operations` tells which operation has failed, and with which
values.
"""

from __future__ import annotations

from jsrunner.engine import call_texts, instruction_texts
from jsrunner.engine.operations import Instruction, failing_operation


def explain(runtime: int, context: int, message: str, function: str | None) -> str | None:
    """Return k6's text of an error that QuickJS is making.

    Args:
        runtime: The address of the JSRuntime.
        context: The address of the JSContext.
        message: QuickJS's text.
        function: The name of the function of the language that has thrown; None for code of the script.

    Returns:
        The text; None if it is QuickJS's, or if the script makes the error itself.
    """
    operation = failing_operation(runtime, context)
    text = None
    if isinstance(operation, Instruction):
        text = instruction_texts.explain(operation, message)
    elif operation is not None and operation.function == function:  # else an error's constructor
        text = call_texts.explain(call_texts.Failure(operation, function, message))
    return text and text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
