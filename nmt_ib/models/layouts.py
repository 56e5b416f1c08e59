"""A table: architecture -> where its embeddings, layers, cross-attention and output layer are."""

from dataclasses import dataclass, replace

from transformers import PretrainedConfig

from nmt_ib.errors import RequestError


@dataclass(frozen=True)
class Seq2SeqLayout:
    """Names inside one encoder-decoder, relative to its encoder and decoder.

    Attributes:
        layers: The list of layers of the encoder and of the decoder.
        cross_attention: Part of a decoder layer whose output ends with its attention weights.
        embedding_scale: Attribute of the encoder that multiplies embeddings; None where the embedding module does it.
        output_bias: Attribute of the model that is added to the output scores, if any.
        head_scaled_if: Setting of the configuration that says whether the output layer reads the states divided by
            sqrt(width); None: it never does.
        languages: Whether a source and a target language must be named.
        prefix: Whether a task prefix must be named.
    """

    layers: str = "layers"
    cross_attention: str = "encoder_attn"
    embedding_scale: str | None = None
    output_bias: str | None = None
    head_scaled_if: str | None = None
    languages: bool = False
    prefix: bool = False


MARIAN = Seq2SeqLayout(embedding_scale="embed_scale", output_bias="final_logits_bias")
T5 = Seq2SeqLayout(layers="block", cross_attention="layer.1")
SEQ2SEQ = {
    "marian": MARIAN,
    "marian-ssru": MARIAN,
    "bart": Seq2SeqLayout(output_bias="final_logits_bias"),
    "mbart": Seq2SeqLayout(output_bias="final_logits_bias", languages=True),
    "m2m_100": Seq2SeqLayout(languages=True),  # NLLB is of this type, too
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


@dataclass(frozen=True)
class EncoderLayout:
    """Names inside one encoder architecture, relative to the model without its classifier.

    Attributes:
        embeddings: The module whose output the first layer reads.
        stack: The module that runs the layers.
        layers: Its list of layers.
        output: Last linear layer of the sequence classifier, relative to the whole model; what it reads is the
            pooled state.
    """

    embeddings: str = "embeddings"
    stack: str = "encoder"
    layers: str = "layer"
    output: str = "classifier"


BERT = EncoderLayout()
ROBERTA = replace(BERT, output="classifier.out_proj")
ENCODERS = {
    "bert": BERT,
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "distilbert": replace(BERT, stack="transformer"),
    "electra": ROBERTA,
    "deberta-v2": BERT,  # DeBERTa-v3 is of this type, too
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
