"""k6's texts of the language's own errors.

Scripts compare the texts of errors, and people read them. k6's engine (sobek) has other texts than
QuickJS, and most of them name the wrong value. When QuickJS makes an error, `error_texts.js` asks this
module for k6's text. `operations` finds the operation that has failed, and its values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.engine import call_texts, instruction_texts
from jsrunner.engine.operations import Instruction, argument_of_ours, failing_operation
from jsrunner.engine.values import Ask, Scene

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Index of the argument that holds the value; argument 0 is the operation's name.
_HOLDER = 3


def explain(
    runtime: int, context: int, message: str, function: str | None, value_texts: Sequence[str]
) -> str | tuple[str | None] | None:
    """Return k6's text of an error that QuickJS is making.

    Args:
        runtime: The address of the JSRuntime.
        context: The address of the JSContext.
        message: QuickJS's text.
        function: The name of the function of the language that has thrown; None for code of the script.
        value_texts: The texts that JavaScript has returned for earlier questions, in order.

    Returns:
        The text; None if QuickJS's text stays, or if the script makes the error itself. A tuple asks
        for the text of the value in the holder of `error_texts.js`, or of its property of this name.
    """
    scene = Scene(context, value_texts)
    try:
        text = _explain(runtime, scene, message, function)
    except Ask as question:
        question.value.hand_over(argument_of_ours(runtime, scene, _HOLDER))
        return (question.name,)
    return text and text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _explain(runtime: int, scene: Scene, message: str, function: str | None) -> str | None:
    operation = failing_operation(runtime, scene)
    if isinstance(operation, Instruction):
        return instruction_texts.explain(operation, message)
    if operation is not None and operation.function == function:  # else an error's constructor
        return call_texts.explain(call_texts.CallFailure(operation, function, message))
    return None
