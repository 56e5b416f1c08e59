"""An attribution method by its name."""

from importlib import import_module
from inspect import Parameter, signature
from typing import Any, get_args

from nmt_ib.catalog import ATTRIBUTIONS, NEEDED
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Attributor
from nmt_ib.requests import NUMBERS, check_number


def attribution_method(name: object, *, seed: int = 0, **settings: Any) -> Attributor:
    """The attribution method of a name.

    Args:
        name: A name of `ATTRIBUTIONS`, optionally with a layer, as in "attention@2".
        seed: Seed of methods that draw random numbers.
        **settings: Settings of the method's class.

    Returns:
        The method.

    Raises:
        RequestError: There is no such method, it has no such setting, a required setting is missing, or a number was
            expected.
    """
    if not isinstance(name, str):
        raise RequestError(f"method must be a name such as 'sigma', not {name!r}")
    kind, _, layer = name.partition("@")
    if kind not in ATTRIBUTIONS:
        raise RequestError(f"unknown method {kind!r}; known: {', '.join(ATTRIBUTIONS)}")
    if layer and not layer.isdigit():
        raise RequestError(f"{name!r}: expected the number of a layer after @, as in {kind}@2")
    if layer and "layer" in settings:
        raise RequestError(f"{name!r} and layer={settings['layer']} both name a layer: leave one of them out")
    path, preset = ATTRIBUTIONS[kind]
    module, _, attribute = path.rpartition(".")
    method: Any = getattr(import_module(module), attribute)
    known = signature(method).parameters
    chosen = {**preset, **settings, **({"layer": int(layer)} if layer else {})}
    if unknown := chosen.keys() - known:
        others = f"known: {', '.join(sorted(known))}" if known else "it has no settings"
        raise RequestError(f"{kind} has no setting {sorted(unknown)[0]!r}: leave it out; {others}")
    if missing := [key for key, setting in known.items() if setting.default is Parameter.empty and key not in chosen]:
        raise RequestError(f"{kind} needs the setting {missing[0]!r}: {NEEDED[missing[0]]}")
    for key, value in settings.items():
        _check_setting(key, value, known[key].annotation)
    return method(**chosen, **({"seed": seed} if "seed" in known else {}))


def _check_setting(name: str, value: object, annotation: Any) -> None:
    kinds = get_args(annotation) or (annotation,)  # both of `int | None`
    for kind in NUMBERS.keys() & set(kinds):
        if not isinstance(value, kinds):
            check_number(name, value, kind)
