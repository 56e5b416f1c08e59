"""The type checker of the import hook: beartype, with two exceptions."""

from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray

# Modules that check themselves what a user gives them; of their functions only shapes are checked.
AT_THE_DOOR = ("nmt_ib.requests", "nmt_ib.studies", "nmt_ib.models.loading", "nmt_ib.attribution.by_name")


def checked(function):
    """The function with its annotations checked at each call.

    A function inside another is left as it is: it would be compiled anew at each call of the outer one.
    """
    if "<locals>" in function.__qualname__:
        return function
    if function.__module__.startswith(AT_THE_DOOR):
        hints = function.__annotations__
        function.__annotations__ = {name: hint for name, hint in hints.items() if has_shape(hint)}
    return beartype(function)


def has_shape(hint: Any) -> bool:
    """Whether an annotation says the shape of an array, at any depth."""
    is_array = isinstance(hint, type) and issubclass(hint, AbstractArray)
    return is_array or any(map(has_shape, get_args(hint)))
