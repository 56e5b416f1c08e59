"""A directory with a marian-nmt binary and its SentencePiece vocabulary -> network and tokenizer."""

from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nmt_ib.errors import RequestError
from nmt_ib.models.marian_binary import is_marian_binary, read_marian_binary
from nmt_ib.models.marian_weights import build_model, build_tokenizer


def read_marian_folder(folder: Path, name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The network and the tokenizer of a marian-nmt model.

    Args:
        folder: A directory with one marian-nmt `.bin` and one `.spm`.
        name: Name that the user gave, for errors.

    Returns:
        Both, on the CPU.

    Raises:
        RequestError: There is no such model in the directory, or vocabulary and weights differ in size.
    """
    binaries = [file for file in sorted(folder.glob("*.bin")) if is_marian_binary(file)]
    vocabularies = sorted(folder.glob("*.spm"))
    if len(binaries) != 1 or len(vocabularies) != 1:
        raise RequestError(
            f"{name} is not a model: expected config.json (Hugging Face), or one marian-nmt .bin and one .spm; "
            f"found {len(binaries)} and {len(vocabularies)}"
        )
    model, tokenizer = build_model(read_marian_binary(binaries[0])), build_tokenizer(vocabularies[0])
    pieces, rows = len(tokenizer.encoder), model.config.vocab_size
    if pieces != rows:
        raise RequestError(f"{name}: {vocabularies[0].name} has {pieces - 1:,} pieces, the model {rows - 1:,}")
    return model, tokenizer
