"""Tiny BERT-like encoders and classifiers, from literal configurations, with tokenizers made on the fly."""

from collections.abc import Callable
from pathlib import Path

import transformers as hf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from nmt_ib.models.classifier import wrap_encoder
from nmt_ib.models.encoder import HuggingFaceEncoder
from tests.tiny_models import ENCODER, ENGLISH, FFN, HEADS, WIDTH, bpe, randomise_, unigrams

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LABELS = ("negative", "neutral", "positive")
STACK = {
    "hidden_size": WIDTH, "num_hidden_layers": ENCODER, "num_attention_heads": HEADS, "intermediate_size": FFN,
    "max_position_embeddings": 64, "type_vocab_size": 2,
}  # fmt: skip
CLASSES = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}


def wordpieces() -> dict[str, int]:
    """A lower-case WordPiece vocabulary of a few sentences."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=90, special_tokens=list(SPECIAL), show_progress=False)
    tokenizer.train_from_iterator(ENGLISH, trainer)
    return tokenizer.get_vocab()


def encoder(kind: str, tokenizer: hf.PreTrainedTokenizerBase, seed: int, **settings: object) -> HuggingFaceEncoder:
    """A model of the class `kind` with random weights, its configuration named alike."""
    network = getattr(hf, f"{kind}Model" if "For" not in kind else kind)
    config = network.config_class(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **settings)
    return wrap_encoder(randomise_(network(config), seed), tokenizer, name="tiny", source_language="en")


def bert(_folder: Path) -> HuggingFaceEncoder:
    return encoder("Bert", hf.BertTokenizer(vocab=wordpieces()), 10, **STACK)


def bert_classifier(_folder: Path) -> HuggingFaceEncoder:
    tokenizer = hf.BertTokenizer(vocab=wordpieces())
    return encoder("BertForSequenceClassification", tokenizer, 11, **STACK, **CLASSES)


def roberta_classifier(_folder: Path) -> HuggingFaceEncoder:
    """Byte-level BPE; positions begin behind the padding id."""
    pieces = bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.ByteLevel.alphabet())
    tokenizer = hf.RobertaTokenizer(**pieces)
    return encoder("RobertaForSequenceClassification", tokenizer, 12, **STACK, **CLASSES)


def xlm_roberta(folder: Path) -> HuggingFaceEncoder:
    special = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>")]
    tokenizer = hf.XLMRobertaTokenizer(vocab=[*special, *unigrams(folder), ("<mask>", 0.0)])
    return encoder("XLMRoberta", tokenizer, 13, **STACK)


def distilbert_classifier(_folder: Path) -> HuggingFaceEncoder:
    """Names of its own for width, layers and heads; no segments, no pooler."""
    tokenizer = hf.DistilBertTokenizer(vocab=wordpieces())
    stack = {"dim": WIDTH, "n_layers": ENCODER, "n_heads": HEADS, "hidden_dim": FFN, "max_position_embeddings": 64}
    return encoder("DistilBertForSequenceClassification", tokenizer, 14, **stack, **CLASSES)


def electra_classifier(_folder: Path) -> HuggingFaceEncoder:
    """Embeddings narrower than the layers, with a projection between them."""
    tokenizer = hf.ElectraTokenizer(vocab=wordpieces())
    settings = {**STACK, **CLASSES, "embedding_size": WIDTH // 2}
    return encoder("ElectraForSequenceClassification", tokenizer, 15, **settings)


def deberta_classifier(folder: Path) -> HuggingFaceEncoder:
    """As DeBERTa-v3: relative positions in log buckets, content and position attend to each other."""
    special = [(piece, 0.0) for piece in ("[PAD]", "[CLS]", "[SEP]", "[UNK]")]
    tokenizer = hf.DebertaV2Tokenizer(vocab=[*special, *unigrams(folder), ("[MASK]", 0.0)], unk_id=3)
    settings = {
        **STACK, **CLASSES, "type_vocab_size": 0, "relative_attention": True, "position_buckets": 8,
        "norm_rel_ebd": "layer_norm", "share_att_key": True, "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
    }  # fmt: skip
    return encoder("DebertaV2ForSequenceClassification", tokenizer, 16, **settings)


ENCODERS: dict[str, Callable[[Path], HuggingFaceEncoder]] = {
    "bert": bert, "bert-classifier": bert_classifier, "roberta-classifier": roberta_classifier,
    "xlm-roberta": xlm_roberta, "distilbert-classifier": distilbert_classifier,
    "electra-classifier": electra_classifier, "deberta-v2-classifier": deberta_classifier,
}  # fmt: skip
