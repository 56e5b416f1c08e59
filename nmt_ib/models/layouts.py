"""A table: architecture -> where its embeddings, layers, cross-attention and output layer are."""

from dataclasses import dataclass, replace

from transformers import PretrainedConfig

from nmt_ib.errors import RequestError


@dataclass(frozen=True)
class AttentionLayout:
    """Names inside one attention block, relative to its layer.

    Attributes:
        weights: Part whose output is the attention weights, or ends with them.
        query: Projection of what attends; reads the residual where the norm stands behind.
        value: Projection of what is attended to.
        output: Projection of what the heads bring.
        norm: The block's norm.
        norm_first: Whether the norm stands before the attention, not behind the sum with the residual.
        crosses: Whether it attends to the encoder's states from the decoder.
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
    """Names inside one SSRU block, relative to its layer; its norm stands behind the sum with the residual.

    Attributes:
        unit: The unit as a whole.
        cell: Projection of the input.
        forget: Projection that gives the gate.
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
        layers: The list of layers of the encoder and of the decoder.
        self_attention: Self-attention of encoder layers, and of decoder layers where nothing stands in its place.
        cross_attention: Cross-attention of decoder layers.
        recurrence: What stands in the place of the decoder's self-attention, if anything.
        embedding_scale: Attribute of the encoder that multiplies embeddings; None where the embedding module does it.
        output_bias: Attribute of the model that is added to the output scores, if any.
        head_scaled_if: Setting of the configuration that says whether the output layer reads the states divided by
            sqrt(width); None: it never does.
        languages: Whether a source and a target language must be named.
        prefix: Whether a task prefix must be named.
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
    "m2m_100": PRE_NORM,  # NLLB is of this type, too
    "t5": replace(T5, head_scaled_if="scale_decoder_outputs", prefix=True),  # a setting that T5 1.1 and FLAN have off
    "mt5": T5,
}


def seq2seq_layout(config: PretrainedConfig) -> Seq2SeqLayout:
    """The row for a model's configuration.

    Args:
        config: Its `model_type` decides.

    Returns:
        The row.

    Raises:
        RequestError: There is none.
    """
    if config.model_type not in SEQ2SEQ:
        raise RequestError(
            f"architecture {config.model_type!r} is not known as a translation model; known: {', '.join(SEQ2SEQ)}"
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
        embeddings: The module that embeds words, positions and segments.
        projection: The module between it and the first layer, in models that have one.
        positions_behind_padding: Whether positions are counted from the one behind the padding id, not from 0.
        stack: The module that runs the layers.
        layers: Its list of layers.
        output: Last linear layer of the sequence classifier, relative to the whole model; what it reads is the
            pooled state.
        attention: Self-attention of its layers.
    """

    embeddings: str = "embeddings"
    projection: str = "embeddings_project"
    positions_behind_padding: bool = False
    stack: str = "encoder"
    layers: str = "layer"
    output: str = "classifier"
    attention: AttentionLayout = _bert()


BERT = EncoderLayout()
ROBERTA = replace(BERT, positions_behind_padding=True, output="classifier.out_proj")
ENCODERS = {
    "bert": BERT,
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "distilbert": replace(BERT, stack="transformer", attention=DISTILBERT),
    "electra": replace(BERT, output="classifier.out_proj"),
    # DeBERTa-v3 is of this type, too. It returns its weights only if asked at each layer, but dropout passes them on.
    "deberta-v2": replace(BERT, attention=_bert("_proj", weights="attention.self.dropout")),
}


def encoder_layout(config: PretrainedConfig) -> EncoderLayout:
    """The row for an encoder's configuration.

    Args:
        config: Its `model_type` decides.

    Returns:
        The row.

    Raises:
        RequestError: There is none.
    """
    if config.model_type not in ENCODERS:
        raise RequestError(
            f"architecture {config.model_type!r} is not known as an encoder; known: {', '.join(ENCODERS)}"
        )
    if getattr(config, "conv_kernel_size", 0):
        raise RequestError("DeBERTa with a convolution beside its first layer cannot be entered behind that layer")
    return ENCODERS[config.model_type]
