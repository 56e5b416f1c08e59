"""What is each piece of a sentence worth to a model?"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from nmt_ib.attribution.answers import given_answer, own_answers
from nmt_ib.attribution.by_name import attribution_method
from nmt_ib.catalog import ANSWERLESS
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Classifier, EncoderModel, TranslationModel
from nmt_ib.readability import read_source
from nmt_ib.requests import check_request, listed
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence


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
    if isinstance(model, (TranslationModel, Classifier)):
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
