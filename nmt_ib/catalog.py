"""Names that a user may type, and where what they name lives."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from inspect import Parameter, signature
from typing import Any, get_args

from nmt_ib.errors import RequestError
from nmt_ib.protocols import Attributor, EncoderModel, TranslationModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.studies.answers import given_answer, own_answers
from nmt_ib.studies.reading import read_source
from nmt_ib.studies.requests import NUMBERS, check_number, check_request, listed
from nmt_ib.types import Sentence

# Name -> class, and settings that make it what the name says; imported when asked for.
ATTRIBUTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "sigma": ("nmt_ib.attribution.sigma.Sigma", {}),
    "sigma_decoder": ("nmt_ib.attribution.sigma.Sigma", {"part": "decoder", "per_token": True}),
    "sigma_logits": ("nmt_ib.attribution.sigma.Sigma", {"part": "logits"}),
    "bottleneck": ("nmt_ib.attribution.bottleneck.Bottleneck", {}),
    "readout": ("nmt_ib.attribution.readout.Readout", {}),
    "gradient": ("nmt_ib.attribution.gradient.Gradient", {}),
    "input_x_gradient": ("nmt_ib.attribution.gradient.Gradient", {"times_input": True}),
    "integrated_gradients": ("nmt_ib.attribution.integrated_gradients.IntegratedGradients", {}),
    "attention": ("nmt_ib.attribution.attention.Attention", {}),
    "attention_rollout": ("nmt_ib.attribution.attention.Attention", {"rollout": True}),
    "alti": ("nmt_ib.attribution.alti.Alti", {}),
    "alti_block": ("nmt_ib.attribution.alti.Alti", {"rollout": False}),
    "occlusion": ("nmt_ib.attribution.occlusion.Occlusion", {}),
    "contribution": ("nmt_ib.attribution.contribution_scores.ContributionScores", {}),
    "random": ("nmt_ib.attribution.random_scores.RandomScores", {}),
}

# Setting without which a method cannot be made -> what to give.
NEEDED = {"network": "a network that recipes/train_readout.py trained, or its directory (--network)"}

ANSWERLESS = ("sigma", "attention", "attention_rollout", "alti", "alti_block")  # explain a bare encoder, too


def attribution_method(name: str, *, seed: int = 0, **settings: Any) -> Attributor:
    """The method of a name.

    Args:
        name: A name of `ATTRIBUTIONS`, or with a layer: "attention@2".
        seed: Seed, for methods that draw something.
        **settings: Settings of the method's class.

    Returns:
        The method.

    Raises:
        RequestError: There is no such method, it has no such setting, or the setting is a number and was given none.
    """
    if not isinstance(name, str):
        raise RequestError(f"a method is known by its name, as 'sigma' is, not by {name!r}")
    kind, _, layer = name.partition("@")
    if kind not in ATTRIBUTIONS:
        raise RequestError(f"unknown method {kind!r}; known: {', '.join(ATTRIBUTIONS)}")
    if layer and not layer.isdigit():
        raise RequestError(f"{name!r}: expected a number of a layer after @, as in {kind}@2")
    if layer and "layer" in settings:
        raise RequestError(f"{name!r} and layer {settings['layer']} name a layer each: leave one of them out")
    path, own = ATTRIBUTIONS[kind]
    module, _, attribute = path.rpartition(".")
    made: Any = getattr(import_module(module), attribute)
    known = signature(made).parameters
    wanted = {**own, **settings, **({"layer": int(layer)} if layer else {})}
    if unknown := wanted.keys() - known:
        others = f"known: {', '.join(sorted(known))}" if known else "it has none"
        raise RequestError(f"{kind} has no setting {sorted(unknown)[0]!r}: leave it out; {others}")
    if missing := [key for key, setting in known.items() if setting.default is Parameter.empty and key not in wanted]:
        raise RequestError(f"{kind} needs the setting {missing[0]!r}: {NEEDED[missing[0]]}")
    for key, value in settings.items():
        _check_setting(key, value, known[key].annotation)
    return made(**wanted, **({"seed": seed} if "seed" in known else {}))


def attribute(
    model: EncoderModel,
    sentences: Sequence[str],
    method: str = "sigma",
    *,
    targets: Sequence[str | int] | None = None,
    corpus: Iterable[str] | None = None,
    batch_size: int = 32,
    seed: int = 0,
    **settings: Any,
) -> list[Attribution]:
    """What each piece of each sentence is worth to a model, by any method.

    Args:
        model: What `load_translation_model` or `load_encoder_model` gave, or any model that offers as much.
        sentences: Texts, each with at least one word.
        method: A name of `ATTRIBUTIONS`, or with a layer: "attention@2".
        targets: Translations to explain; labels, or their names, for a classifier; None: what the model itself says.
        corpus: Sentences whose embeddings and states are the prior of noise; None: those that the package ships.
        batch_size: Copies of sentences that go through the model at once; changes no result beyond rounding.
        seed: Seed of all noise.
        **settings: Settings of the method's class: `layer`, `rate`, `include_special`, ...

    Returns:
        One Attribution a sentence, in order.

    Raises:
        RequestError: A sentence cannot be read, method, setting or target are unknown, or something is of a wrong type.
    """
    check_request(model, batch_size, seed)
    sources = [_readable(model, text) for text in listed(sentences, "sentences")]
    if targets is not None:
        targets = listed(targets, "targets", str if isinstance(model, TranslationModel) else object)
    if targets is not None and len(targets) != len(sources):
        raise RequestError(f"{len(sources)} sentences need as many targets, not {len(targets)}")
    made: Any = attribution_method(method, seed=seed, **settings)
    if corpus is not None:
        from nmt_ib.attribution.statistics import statistics_for

        if not hasattr(made, "statistics"):
            raise RequestError(f"{method} draws no noise: it reads no corpus")
        made = replace(made, statistics=statistics_for(model, listed(corpus, "corpus"), decoder=True))
    if not sources:
        return []
    answers: Sequence[Sentence | int] | None = None
    labels: tuple[str, ...] = getattr(model, "labels", ())
    if labels or isinstance(model, TranslationModel):
        own = own_answers(model, sources, batch_size) if targets is None else ()
        answers = own or [given_answer(model, target) for target in targets or ()]
    elif targets is not None or method.partition("@")[0] not in ANSWERLESS:
        raise RequestError(f"{model.name} answers nothing: that needs a translation model or a classifier")
    return made(model, sources, answers, batch_size=batch_size)


def _readable(model: EncoderModel, text: str) -> Sentence:
    sentence, reason = read_source(model, text)
    if reason is not None:
        raise RequestError(f"cannot explain {text[:40]!r}: {reason}")
    return sentence


def _check_setting(name: str, value: object, annotation: Any) -> None:
    kinds = get_args(annotation) or (annotation,)  # of `int | None` both
    for kind in NUMBERS.keys() & set(kinds):
        if not isinstance(value, kinds):
            check_number(name, value, kind)
