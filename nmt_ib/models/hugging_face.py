"""A Hugging Face name or directory -> network and tokenizer, without remote code and without unpickling."""

import warnings
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from nmt_ib.errors import RequestError
from nmt_ib.models.layouts import ENCODERS, encoder_layout, seq2seq_layout


def is_marian_form(name: str) -> bool:
    """Whether a name is that of a directory that is not in Hugging Face form, so that it may be marian-nmt's own."""
    return Path(name).is_dir() and not Path(name, "config.json").exists()


def is_encoder(name: str) -> bool:
    """Whether a Hugging Face name or directory is an encoder of the layouts table.

    Args:
        name: The name or directory.

    Returns:
        False for all other architectures.

    Raises:
        RequestError: There is no such model.
    """
    return _from_pretrained(name, name, AutoConfig).model_type in ENCODERS


def read_seq2seq(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The network and the tokenizer of an encoder-decoder.

    Args:
        name: Hugging Face name or directory.

    Returns:
        Both, on the CPU, in float32.

    Raises:
        RequestError: There is no such model, it is damaged, or its architecture is not supported.
    """
    seq2seq_layout(_from_pretrained(name, name, AutoConfig))  # before anything large is downloaded
    return _network_and_tokenizer(name, name, AutoModelForSeq2SeqLM)


def read_encoder(folder: str, name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The network and the tokenizer of an encoder or a sequence classifier.

    Args:
        folder: Hugging Face name or directory.
        name: Name that the user gave, for errors.

    Returns:
        Both, on the CPU, in float32.

    Raises:
        RequestError: There is no such model, it is damaged, or its architecture is not supported.
    """
    config = _from_pretrained(folder, name, AutoConfig)
    encoder_layout(config)
    if any("SequenceClassification" in architecture for architecture in config.architectures or ()):
        return _network_and_tokenizer(folder, name, AutoModelForSequenceClassification)
    return _network_and_tokenizer(folder, name, AutoModel, unused="pooler")  # no layer of a bare encoder reads it


def _network_and_tokenizer(
    folder: str, name: str, kind: Any, unused: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    transformers_logging.disable_progress_bar()
    tokenizer = _from_pretrained(folder, name, AutoTokenizer)
    settings = {"dtype": torch.float32, "output_loading_info": True, "weights_only": True}
    model, report = _from_pretrained(folder, name, kind, **settings)
    # Transformers initialises missing weights at random.
    missing = [key for key in report["missing_keys"] if unused is None or unused not in key]
    if missing:
        raise RequestError(f"cannot load the model {name!r}: it lacks weights, {sorted(missing)[0]} first")
    return model, tokenizer


def _from_pretrained(folder: str, name: str, kind: Any, **settings: Any) -> Any:
    _check_location(folder)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*sacremoses.*")
            return kind.from_pretrained(folder, trust_remote_code=False, **settings)
    except Exception as error:  # safetensors, tokenizers and pickle raise exceptions of different types
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RequestError(f"cannot load the model {name!r}: {reason}") from error


def _check_location(name: str) -> None:
    folder = Path(name)
    if folder.is_file():
        raise RequestError(f"{name} is a file; pass the directory that holds the model")
    if not folder.exists() and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        raise RequestError(f"there is no directory {name}; Hugging Face names look like Helsinki-NLP/opus-mt-en-de")
