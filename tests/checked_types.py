"""The type checker of the import hook: shapes are checked everywhere, all annotations in the rooms of tensors."""

from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray

EVERY_ANNOTATION = ("nmt_ib.attribution", "nmt_ib.compression", "nmt_ib.info", "nmt_ib.models", "nmt_ib.parsing")
AT_THE_DOOR = ("nmt_ib.models.loading",)  # raises its own error for a wrong type


def checked(function):
    """The function with its annotations checked at each call.

    A function inside another is left as it is: it would be compiled anew at each call of the outer one.
    """
    if "<locals>" in function.__qualname__:
        return function
    if not function.__module__.startswith(EVERY_ANNOTATION) or function.__module__ in AT_THE_DOOR:
        hints = {name: hint for name, hint in function.__annotations__.items() if has_shape(hint)}
        if not hints:
            return function
        function.__annotations__ = hints
    return beartype(function)


def has_shape(hint: Any) -> bool:
    """Whether an annotation says the shape of an array, at any depth."""
    is_array = isinstance(hint, type) and issubclass(hint, AbstractArray)
    return is_array or any(map(has_shape, get_args(hint)))
