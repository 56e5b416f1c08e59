"""Converts the tensors of a marian-nmt file to a Hugging Face model, and its vocabulary to a tokenizer."""

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from sentencepiece import SentencePieceProcessor
from torch import Tensor
from transformers import MarianConfig, MarianMTModel, MarianTokenizer

from nmt_ib.errors import RequestError
from nmt_ib.models.marian_binary import MarianBinary
from nmt_ib.models.ssru import MarianSSRUConfig, MarianSSRUForConditionalGeneration, exact_norms_, marian_positions

POSITIONS = 512
ATTENTION = {"q_proj": "q", "k_proj": "k", "v_proj": "v", "out_proj": "o"}


def build_model(binary: MarianBinary) -> MarianMTModel:
    """A model with the file's weights; its decoder has SSRUs or self-attention, according to the configuration.

    The first decoder input of marian-nmt is the zero vector: the vocabulary gets an additional row of zeros that is
    never generated (output bias -1e9) and serves as padding and decoder start.

    Args:
        binary: Output of `read_marian_binary`.

    Returns:
        A model in evaluation mode, float32.

    Raises:
        RequestError: An option of the configuration is not supported, or the weights do not fit it.
    """
    _check(binary.config)
    try:
        return _filled(binary)
    except KeyError as error:
        raise RequestError(f"the marian-nmt file has no {error}, which its configuration needs") from error
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise RequestError(f"the weights of the marian-nmt file do not fit its configuration: {reason}") from error


def _filled(binary: MarianBinary) -> MarianMTModel:
    config = binary.config
    vocabulary, width = binary.tensors["Wemb"].shape
    recurrent = config.get("transformer-decoder-autoreg", "self-attention") == "rnn"
    settings = {
        "vocab_size": vocabulary + 1,
        "d_model": width,
        "encoder_layers": config["enc-depth"],
        "decoder_layers": config["dec-depth"],
        "encoder_attention_heads": config["transformer-heads"],
        "decoder_attention_heads": config["transformer-heads"],
        "encoder_ffn_dim": config["transformer-dim-ffn"],
        "decoder_ffn_dim": config["transformer-dim-ffn"],
        "activation_function": {"swish": "silu"}.get(
            config["transformer-ffn-activation"], config["transformer-ffn-activation"]
        ),
        "scale_embedding": True,
        "max_position_embeddings": POSITIONS,
        "pad_token_id": vocabulary,
        "decoder_start_token_id": vocabulary,
        "eos_token_id": 0,
        "forced_eos_token_id": None,
        "dropout": 0.0,
    }
    if recurrent:
        model: MarianMTModel = MarianSSRUForConditionalGeneration(MarianSSRUConfig(**settings))
    else:
        model = MarianMTModel(MarianConfig(**settings))
        # Differs from Hugging Face's Marian, whose own values return when the model is saved and loaded again.
        exact_norms_(model)
        for stack in (model.model.encoder, model.model.decoder):
            stack.embed_positions.weight.data = marian_positions(POSITIONS, width)
    tensors = dict(binary.tensors)
    state = _state_dict(tensors, config, recurrent)
    unused = sorted(name for name in tensors if not name.endswith("QuantMultA"))  # needed by int8 inference only
    if unused:
        raise ValueError(f"{len(unused)} weights are not part of the model: {', '.join(unused[:3])}")
    tables = {name: table for name, table in model.state_dict().items() if "embed_positions" in name}
    model.load_state_dict(state | tables)
    return model.eval()


def build_tokenizer(spm: Path) -> MarianTokenizer:
    """A MarianTokenizer with one SentencePiece vocabulary for both languages.

    Args:
        spm: The `.spm` file of the model.

    Returns:
        A tokenizer whose ids are the SentencePiece ids, with `<pad>` after the last one.

    Raises:
        RequestError: The file is not a SentencePiece model.
    """
    try:
        processor = SentencePieceProcessor(model_file=str(spm))
    except (OSError, RuntimeError) as error:
        raise RequestError(f"{spm} is not a complete SentencePiece model; copy it again") from error
    pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
    vocabulary = {piece: index for index, piece in enumerate([*pieces, "<pad>"])}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*sacremoses.*"
        )  # needed by its `normalize` only, which is unused here
        file = Path(folder, "vocab.json")
        file.write_text(json.dumps(vocabulary))
        return MarianTokenizer(str(spm), str(spm), str(file), model_max_length=POSITIONS)


def _check(config: dict[str, Any]) -> None:
    supported: dict[str, tuple[object, ...]] = {
        "type": ("transformer",),
        "transformer-postprocess": ("dan",),
        "transformer-preprocess": ("",),
        "transformer-decoder-autoreg": ("rnn", "self-attention"),
        "dec-cell": ("ssru",),
        "transformer-ffn-activation": ("relu", "swish"),
        "tied-embeddings-all": (True,),
        "transformer-train-position-embeddings": (False,),
        "transformer-ffn-depth": (2,),
    }
    if config.get("transformer-decoder-autoreg", "self-attention") != "rnn":
        supported.pop("dec-cell")
    for key, values in supported.items():
        if key in config and config[key] not in values:
            raise RequestError(
                f"marian-nmt option {key}: {config[key]!r} is not supported; supported: "
                f"{', '.join(repr(value) for value in values)}"
            )


def _state_dict(tensors: dict[str, Tensor], config: dict[str, Any], recurrent: bool) -> dict[str, Tensor]:
    """Weights by Hugging Face's names, removed from `tensors`."""
    embedding = tensors.pop("Wemb")
    embedding = torch.cat([embedding, torch.zeros(1, embedding.shape[1])])
    bias = torch.cat([tensors.pop("decoder_ff_logit_out_b").reshape(1, -1), torch.full((1, 1), -1e9)], dim=1)
    state = {
        "final_logits_bias": bias,
        "lm_head.weight": embedding,
        "model.shared.weight": embedding,
        "model.encoder.embed_tokens.weight": embedding,
        "model.decoder.embed_tokens.weight": embedding,
    }
    for layer in range(1, config["enc-depth"] + 1):
        state |= _encoder_layer(tensors, f"encoder_l{layer}", f"model.encoder.layers.{layer - 1}")
    for layer in range(1, config["dec-depth"] + 1):
        state |= _decoder_layer(tensors, f"decoder_l{layer}", f"model.decoder.layers.{layer - 1}", recurrent)
    return state


def _encoder_layer(tensors: dict[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    return {
        **_attention(tensors, f"{theirs}_self", f"{ours}.self_attn"),
        **_norm(tensors, f"{theirs}_self_Wo_ln", f"{ours}.self_attn_layer_norm"),
        **_feed_forward(tensors, theirs, ours),
    }


def _decoder_layer(tensors: dict[str, Tensor], theirs: str, ours: str, recurrent: bool) -> dict[str, Tensor]:
    if recurrent:
        state = {
            f"{ours}.self_attn.cell.weight": tensors.pop(f"{theirs}_rnn_W").T,
            **_linear(tensors, f"{theirs}_rnn_W", f"{theirs}_rnn_b", "f", f"{ours}.self_attn.forget"),
            **_norm(tensors, f"{theirs}_rnn_ffn_ln", f"{ours}.self_attn_layer_norm"),
        }
    else:
        state = {
            **_attention(tensors, f"{theirs}_self", f"{ours}.self_attn"),
            **_norm(tensors, f"{theirs}_self_Wo_ln", f"{ours}.self_attn_layer_norm"),
        }
    return {
        **state,
        **_attention(tensors, f"{theirs}_context", f"{ours}.encoder_attn"),
        **_norm(tensors, f"{theirs}_context_Wo_ln", f"{ours}.encoder_attn_layer_norm"),
        **_feed_forward(tensors, theirs, ours),
    }


def _attention(tensors: dict[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for module, letter in ATTENTION.items():
        state |= _linear(tensors, f"{theirs}_W", f"{theirs}_b", letter, f"{ours}.{module}")
    return state


def _feed_forward(tensors: dict[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    return {
        **_linear(tensors, f"{theirs}_ffn_W", f"{theirs}_ffn_b", "1", f"{ours}.fc1"),
        **_linear(tensors, f"{theirs}_ffn_W", f"{theirs}_ffn_b", "2", f"{ours}.fc2"),
        **_norm(tensors, f"{theirs}_ffn_ffn_ln", f"{ours}.final_layer_norm"),
    }


def _linear(tensors: dict[str, Tensor], weight: str, bias: str, suffix: str, ours: str) -> dict[str, Tensor]:
    return {f"{ours}.weight": tensors.pop(weight + suffix).T, f"{ours}.bias": tensors.pop(bias + suffix).flatten()}


def _norm(tensors: dict[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    scale, bias = tensors.pop(f"{theirs}_scale"), tensors.pop(f"{theirs}_bias")
    return {f"{ours}.weight": scale.flatten(), f"{ours}.bias": bias.flatten()}
