"""Loads a model by its name or directory, and resolves "a model or its name"; runs no remote code, never unpickles."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from nmt_ib.errors import RequestError
from nmt_ib.models.builtin import builtin_folder, builtin_languages, builtin_model, is_builtin
from nmt_ib.models.classifier import wrap_encoder
from nmt_ib.models.elmo_files import is_elmo, read_elmo
from nmt_ib.models.embedders import ElmoEmbedder, TransformerEmbedder
from nmt_ib.models.encoder import HuggingFaceEncoder
from nmt_ib.models.hugging_face import is_encoder, is_marian_form, read_encoder, read_seq2seq
from nmt_ib.models.marian_folder import read_marian_folder
from nmt_ib.models.seq2seq import Seq2SeqModel
from nmt_ib.protocols import Embedder, EncoderModel, TranslationModel

Model = TypeVar("Model")
Network = TypeVar("Network", bound=nn.Module)
Device = str | torch.device


def load_translation_model(
    name: str | Path,
    *,
    device: Device = "cpu",
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
) -> Seq2SeqModel:
    """Loads a translation model.

    Args:
        name: `builtin:en-pt`, `builtin:pt-en`, a Hugging Face name, a directory in Hugging Face form, or a directory
            with a marian-nmt `.bin` and its `.spm`.
        device: `cpu`, `cuda`, `cuda:1`, ...
        source_language: See `Seq2SeqModel`; models of one source language need it for word segmentation only.
        target_language: See `Seq2SeqModel`.
        prefix: See `Seq2SeqModel`.

    Returns:
        The model in evaluation mode, float32.

    Raises:
        RequestError: There is no such model, it is damaged, its architecture is not supported, or a setting is missing.
    """
    name = str(name)
    languages = {"source_language": source_language, "target_language": target_language}
    if is_builtin(name):
        languages = builtin_languages(name, **languages)
        network, tokenizer = read_marian_folder(builtin_folder(name), name)
    elif is_marian_form(name):
        network, tokenizer = read_marian_folder(Path(name), name)
    else:
        network, tokenizer = read_seq2seq(name)
    return Seq2SeqModel(_moved(network, device), tokenizer, name=name, prefix=prefix, **languages)


def load_encoder_model(
    name: str | Path, *, device: Device = "cpu", source_language: str | None = None
) -> HuggingFaceEncoder:
    """Loads a BERT-like encoder or sequence classifier.

    Args:
        name: `builtin:minilm`, a Hugging Face name, or a directory in Hugging Face form.
        device: `cpu`, `cuda`, `cuda:1`, ...
        source_language: Language of the sentences (`en`), for word segmentation.

    Returns:
        The model in evaluation mode, float32; a `HuggingFaceClassifier` if the checkpoint is a sequence classifier.

    Raises:
        RequestError: There is no such model, it is damaged, or its architecture is not supported.
    """
    name, folder = str(name), str(name)
    if is_builtin(name):
        if builtin_model(name).translates:
            raise RequestError(f"{name} is a translation model: use load_translation_model")
        folder, source_language = str(builtin_folder(name)), builtin_model(name).source_language
    elif is_marian_form(name):
        raise RequestError(f"{name} is not an encoder: expected config.json (Hugging Face)")
    network, tokenizer = read_encoder(folder, name)
    return wrap_encoder(_moved(network, device), tokenizer, name=name, source_language=source_language)


def load_model(
    name: str | Path,
    *,
    device: Device = "cpu",
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
) -> Seq2SeqModel | HuggingFaceEncoder:
    """Loads a translation model or an encoder, whichever `name` is.

    Args:
        name: A name that `load_translation_model` or `load_encoder_model` accepts.
        device: `cpu`, `cuda`, `cuda:1`, ...
        source_language: Language of the sources.
        target_language: Language of the translations; encoders ignore it.
        prefix: Task prefix of T5; encoders ignore it.

    Returns:
        The model.

    Raises:
        RequestError: There is no such model, or it is neither.
    """
    if _names_encoder(str(name)):
        return load_encoder_model(name, device=device, source_language=source_language)
    languages = {"source_language": source_language, "target_language": target_language}
    return load_translation_model(name, device=device, prefix=prefix, **languages)


def load_embedder(
    name: str | Path,
    *,
    device: Device = "cpu",
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
    pooling: str = "first",
) -> TransformerEmbedder | ElmoEmbedder:
    """Loads frozen word vectors: those of ELMo, an encoder, or the encoder of a translation model.

    Args:
        name: A directory with AllenNLP's `options.json` and `weights.hdf5`, or a name that `load_model` accepts.
        device: `cpu`, `cuda`, `cuda:1`, ...
        source_language: Language of the sentences; needed by mBART, M2M100 and NLLB.
        target_language: Language of the translations; needed by the same, and by Marian models of several targets.
        prefix: Task prefix of T5; None: none.
        pooling: Which pieces of a word make its vector, `first`, `mean` or `last`; ELMo reads words, not pieces.

    Returns:
        The embedder.

    Raises:
        RequestError: There is no such model or pooling, or the model is damaged.
    """
    if is_elmo(name):
        return ElmoEmbedder(_moved(read_elmo(name), device), name=str(name))
    languages = {"source_language": source_language, "target_language": target_language}
    return TransformerEmbedder(load_model(name, device=device, prefix=prefix or "", **languages), pooling)


def resolve_translation_model(
    model: TranslationModel | str | Path,
    *,
    device: Device | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
) -> TranslationModel:
    """The given translation model, or the one of that name.

    Args:
        model: A model, or a name that `load_translation_model` accepts.
        device: See `load_translation_model`; only beside a name, as are the other settings.
        source_language: See `load_translation_model`.
        target_language: See `load_translation_model`.
        prefix: See `load_translation_model`.

    Returns:
        The model.

    Raises:
        RequestError: It cannot be loaded, is not a translation model, or settings stand beside a loaded model.
    """
    settings = {"source_language": source_language, "target_language": target_language, "prefix": prefix}
    loader = "load_translation_model"
    return _resolved(model, TranslationModel, load_translation_model, loader, {"device": device, **settings})


def resolve_model(
    model: EncoderModel | str | Path,
    *,
    device: Device | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
) -> EncoderModel:
    """The given translation model or encoder, or the one of that name.

    Args:
        model: A model, or a name that `load_model` accepts.
        device: See `load_model`; only beside a name, as are the other settings.
        source_language: See `load_model`.
        target_language: See `load_model`.
        prefix: See `load_model`.

    Returns:
        The model.

    Raises:
        RequestError: It cannot be loaded, is not a model, or settings stand beside a loaded model.
    """
    settings = {"source_language": source_language, "target_language": target_language, "prefix": prefix}
    loaders = "load_translation_model or load_encoder_model"
    return _resolved(model, EncoderModel, load_model, loaders, {"device": device, **settings})


def resolve_embedder(
    model: Embedder | str | Path,
    *,
    device: Device | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
    pooling: str | None = None,
) -> Embedder:
    """The given embedder, or the one of that name.

    Args:
        model: An embedder, or a name that `load_embedder` accepts.
        device: See `load_embedder`; only beside a name, as are the other settings.
        source_language: See `load_embedder`.
        target_language: See `load_embedder`.
        prefix: See `load_embedder`.
        pooling: See `load_embedder`.

    Returns:
        The embedder.

    Raises:
        RequestError: It cannot be loaded, is not an embedder, or settings stand beside a loaded embedder.
    """
    languages = {"source_language": source_language, "target_language": target_language}
    settings = {"device": device, **languages, "prefix": prefix, "pooling": pooling}
    return _resolved(model, Embedder, load_embedder, "load_embedder", settings)


def _resolved(model: Any, protocol: Any, load: Callable[..., Model], loaders: str, settings: dict[str, Any]) -> Model:
    given = {name: value for name, value in settings.items() if value is not None}
    if isinstance(model, str | Path):
        return load(model, **given)
    if not isinstance(model, protocol):
        raise RequestError(f"model is {type(model).__name__}, expected a name or what {loaders} returns")
    for name in given:
        raise RequestError(f"{name} belongs to a loaded model already: leave {name} out, or give the model's name")
    return model


def _names_encoder(name: str) -> bool:
    if is_builtin(name):
        return not builtin_model(name).translates
    return not is_marian_form(name) and is_encoder(name)


def _moved(model: Network, device: Device) -> Network:
    try:
        return model.to(device=device)
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch built without CUDA
        raise RequestError(f"cannot use the device {str(device)!r}: {str(error).splitlines()[0]}") from error
