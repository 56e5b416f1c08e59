"""Table of architectures: the names of embeddings, layers, attention blocks and output layers in each."""

from dataclasses import dataclass, replace

from transformers import PretrainedConfig

from nmt_ib.errors import RequestError


@dataclass(frozen=True)
class AttentionLayout:
    """Names inside one attention block, relative to its layer.

    Attributes:
        weights: Module whose output is the attention weights, or a tuple that ends with them.
        query: Query projection; its input is the residual in post-norm blocks.
        value: Value projection.
        output: Output projection of the heads.
        norm: The block's norm.
        norm_first: Whether the block is pre-norm; if not, the norm follows the sum with the residual.
        crosses: Whether it is cross-attention, from the decoder to the encoder's states.
    """

    weights: str
    query: str
    value: str
    output: str
    norm: str
    norm_first: bool = False
    crosses: bool = False


@dataclass(frozen=True)
class RecurrenceLayout:
    """Names inside one SSRU block, relative to its layer; its norm follows the sum with the residual.

    Attributes:
        unit: The whole unit.
        cell: Projection of the input.
        forget: Projection of the forget gate.
        norm: The block's norm.
    """

    unit: str = "self_attn"
    cell: str = "self_attn.cell"
    forget: str = "self_attn.forget"
    norm: str = "self_attn_layer_norm"


def _bart(part: str, *, norm_first: bool = False, crosses: bool = False) -> AttentionLayout:
    query, value, output = (f"{part}.{name}" for name in ("q_proj", "v_proj", "out_proj"))
    return AttentionLayout(part, query, value, output, f"{part}_layer_norm", norm_first, crosses)


def _t5(part: str, attention: str, *, crosses: bool = False) -> AttentionLayout:
    query, value, output = (f"{part}.{attention}.{name}" for name in ("q", "v", "o"))
    return AttentionLayout(part, query, value, output, f"{part}.layer_norm", True, crosses)


@dataclass(frozen=True)
class Seq2SeqLayout:
    """Names inside one encoder-decoder, relative to its encoder and decoder.

    Attributes:
        layers: List of layers of the encoder and of the decoder.
        self_attention: Self-attention of encoder layers, and of decoder layers unless they are recurrent.
        cross_attention: Cross-attention of decoder layers.
        recurrence: Recurrent unit that replaces the decoder's self-attention, if any.
        embedding_scale: Attribute of the encoder that scales embeddings; None: the embedding module scales them.
        output_bias: Attribute of the model that is added to the output scores, if any.
        head_scaled_if: Setting of the configuration that says whether states are divided by sqrt(width) before the
            output layer; None: they never are.
        languages: Whether a source and a target language are required.
        prefix: Whether a task prefix is required.
    """

    layers: str = "layers"
    self_attention: AttentionLayout = _bart("self_attn")
    cross_attention: AttentionLayout = _bart("encoder_attn", crosses=True)
    recurrence: RecurrenceLayout | None = None
    embedding_scale: str | None = None
    output_bias: str | None = None
    head_scaled_if: str | None = None
    languages: bool = False
    prefix: bool = False


MARIAN = Seq2SeqLayout(embedding_scale="embed_scale", output_bias="final_logits_bias")
T5 = Seq2SeqLayout(
    layers="block",
    self_attention=_t5("layer.0", "SelfAttention"),
    cross_attention=_t5("layer.1", "EncDecAttention", crosses=True),
)
PRE_NORM = Seq2SeqLayout(
    self_attention=_bart("self_attn", norm_first=True),
    cross_attention=_bart("encoder_attn", norm_first=True, crosses=True),
    languages=True,
)
SEQ2SEQ = {
    "marian": MARIAN,
    "marian-ssru": replace(MARIAN, recurrence=RecurrenceLayout()),
    "bart": Seq2SeqLayout(output_bias="final_logits_bias"),
    "mbart": replace(PRE_NORM, output_bias="final_logits_bias"),
    "m2m_100": PRE_NORM,  # also the type of NLLB
    "t5": replace(T5, head_scaled_if="scale_decoder_outputs", prefix=True),  # off in T5 1.1 and FLAN
    "mt5": T5,
}


def seq2seq_layout(config: PretrainedConfig) -> Seq2SeqLayout:
    """The row of a translation model.

    Args:
        config: Configuration of the model; its `model_type` is the key.

    Returns:
        The row.

    Raises:
        RequestError: The architecture is not supported.
    """
    if config.model_type not in SEQ2SEQ:
        supported = ", ".join(SEQ2SEQ)
        raise RequestError(
            f"architecture {config.model_type!r} is not supported as a translation model; supported: {supported}"
        )
    return SEQ2SEQ[config.model_type]


def _bert(suffix: str = "", weights: str = "attention.self") -> AttentionLayout:
    query, value = (f"attention.self.{name}{suffix}" for name in ("query", "value"))
    return AttentionLayout(weights, query, value, "attention.output.dense", "attention.output.LayerNorm")


DISTILBERT = AttentionLayout("attention", "attention.q_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm")


@dataclass(frozen=True)
class EncoderLayout:
    """Names inside one encoder architecture, relative to the model without its classifier.

    Attributes:
        embeddings: Module that embeds words, positions and segments.
        projection: Module between it and the first layer, in models that have one.
        positions_after_padding: Whether positions are numbered from the padding id + 1, not from 0.
        stack: Module that runs the layers.
        layers: Its list of layers.
        output: Last linear layer of the sequence classifier, relative to the whole model; its input is the pooled
            state.
        attention: Self-attention of its layers.
    """

    embeddings: str = "embeddings"
    projection: str = "embeddings_project"
    positions_after_padding: bool = False
    stack: str = "encoder"
    layers: str = "layer"
    output: str = "classifier"
    attention: AttentionLayout = _bert()


BERT = EncoderLayout()
ROBERTA = replace(BERT, positions_after_padding=True, output="classifier.out_proj")
ENCODERS = {
    "bert": BERT,
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "distilbert": replace(BERT, stack="transformer", attention=DISTILBERT),
    "electra": replace(BERT, output="classifier.out_proj"),
    # Also the type of DeBERTa-v3. It returns attention weights only on request, but its dropout module outputs them.
    "deberta-v2": replace(BERT, attention=_bert("_proj", weights="attention.self.dropout")),
}


def encoder_layout(config: PretrainedConfig) -> EncoderLayout:
    """The row of an encoder.

    Args:
        config: Configuration of the encoder; its `model_type` is the key.

    Returns:
        The row.

    Raises:
        RequestError: The architecture is not supported.
    """
    if config.model_type not in ENCODERS:
        raise RequestError(
            f"architecture {config.model_type!r} is not supported as an encoder; supported: {', '.join(ENCODERS)}"
        )
    if getattr(config, "conv_kernel_size", 0):
        raise RequestError("DeBERTa with a convolution parallel to its first layer is not supported")
    return ENCODERS[config.model_type]
