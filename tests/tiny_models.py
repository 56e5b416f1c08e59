"""Tiny translation models of every architecture, from literal configurations, with tokenizers made on the fly."""

import io
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers as hf
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers.models.mbart.tokenization_mbart import FAIRSEQ_LANGUAGE_CODES

from nmt_ib.models.marian_binary import read_marian_binary
from nmt_ib.models.marian_weights import build_model, build_tokenizer
from nmt_ib.models.seq2seq import Seq2SeqModel
from tests.oracles import marian_file

WIDTH, HEADS, FFN, ENCODER, DECODER = 16, 2, 24, 3, 2
ENGLISH = (
    "The house is red and the garden is green.",
    "A small dog sleeps near the old door.",
    "She sells sea shells by the sea shore, 12 of them!",
    "We never said that it was easy; it was not.",
)
PORTUGUESE = (
    "A casa é vermelha e o jardim é verde.",
    "Um cão pequeno dorme perto da porta velha.",
    "Ela vende conchas do mar à beira do mar.",
    "Nunca dissemos que era fácil; não era.",
)


@dataclass(frozen=True)
class Tiny:
    """A tiny model and what its architecture's documentation says of its inputs.

    Attributes:
        model: The model under test.
        start: Pieces that the decoder reads before the first piece of the translation.
        before: Pieces before those of each source.
        after: Pieces after them.
        never: Pieces that generation may not write.
    """

    model: Seq2SeqModel
    start: tuple[str, ...]
    after: tuple[str, ...]
    before: tuple[str, ...] = ()
    never: tuple[int, ...] = ()


def randomise_(model: hf.PreTrainedModel, seed: int = 0) -> hf.PreTrainedModel:
    """Gives every weight and bias a random value in float64, so that none of them can be forgotten unseen."""
    generator = torch.Generator().manual_seed(seed)
    model.double()
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            centre = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
            weight.data = torch.randn(weight.shape, generator=generator).double() * 0.2 + centre
    for name, buffer in model.named_buffers():
        if name == "final_logits_bias":
            buffer.copy_(torch.randn(buffer.shape, generator=generator))
    return model.eval()


@torch.enable_grad()
def learn_(tiny: Tiny, steps: int = 60) -> Tiny:
    """Learns the eight sentences for half a second: random models write one piece over and over and never end."""
    model, network = tiny.model, tiny.model.model
    sources = model.pad([model.tokenize_source(text) for text in ENGLISH])
    targets = model.pad([model.tokenize_target(text) for text in PORTUGUESE])
    start = torch.tensor([model.tokenizer.convert_tokens_to_ids(list(tiny.start))]).expand(len(ENGLISH), -1)
    inputs = torch.cat([start, targets.ids[:, :-1]], dim=1)
    optimizer = torch.optim.Adam([weight for weight in network.parameters() if weight.requires_grad], lr=0.02)
    for _ in range(steps):
        logits = network(sources.ids, attention_mask=sources.mask.long(), decoder_input_ids=inputs).logits
        logits = logits[:, len(tiny.start) - 1 :]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits[targets.mask], targets.ids[targets.mask]).backward()
        optimizer.step()
    return tiny


def sentencepiece(folder: Path, name: str, sentences: tuple[str, ...], **ids: int) -> SentencePieceProcessor:
    """A unigram vocabulary of a few sentences, written to `folder`."""
    file = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=file, vocab_size=120, hard_vocab_limit=False,
        character_coverage=1.0, minloglevel=2, **ids,
    )  # fmt: skip
    (folder / name).write_bytes(file.getvalue())
    return SentencePieceProcessor(model_proto=file.getvalue())


def unigrams(folder: Path) -> list[tuple[str, float]]:
    """Pieces and scores, the special ones left out."""
    processor = sentencepiece(folder, "spm.model", ENGLISH + PORTUGUESE)
    return [(processor.id_to_piece(i), processor.get_score(i)) for i in range(3, processor.get_piece_size())]


def bpe(pre_tokenizer: pre_tokenizers.PreTokenizer, alphabet: list[str]) -> dict:
    """Vocabulary and merges."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizer
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(ENGLISH + PORTUGUESE, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return {"vocab": model["vocab"], "merges": [tuple(merge) for merge in model["merges"]]}


def stacks(**settings: object) -> dict:
    """The settings that Marian, BART, mBART and M2M100 share."""
    return {
        "d_model": WIDTH, "encoder_layers": ENCODER, "decoder_layers": DECODER, "encoder_attention_heads": HEADS,
        "decoder_attention_heads": HEADS, "encoder_ffn_dim": FFN, "decoder_ffn_dim": FFN,
        "max_position_embeddings": 128, **settings,
    }  # fmt: skip


def marian(folder: Path, codes: tuple[str, ...] = (), target_language: str | None = None) -> Tiny:
    """As OPUS-MT: two SentencePiece models, one vocabulary over both in an order of its own, padding at its end."""
    sides = [sentencepiece(folder, "source.spm", ENGLISH), sentencepiece(folder, "target.spm", PORTUGUESE)]
    pieces = sorted({side.id_to_piece(i) for side in sides for i in range(3, side.get_piece_size())})
    vocabulary = {piece: i for i, piece in enumerate(["</s>", "<unk>", *codes, *pieces, "<pad>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    files = (str(folder / name) for name in ("source.spm", "target.spm", "vocab.json"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*sacremoses.*")
        tokenizer = hf.MarianTokenizer(*files, source_lang="en", target_lang="pt")
    pad = len(vocabulary) - 1
    config = hf.MarianConfig(
        vocab_size=len(vocabulary), pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0,
        forced_eos_token_id=0, scale_embedding=True, activation_function="swish", **stacks(),
    )  # fmt: skip
    network = randomise_(hf.MarianMTModel(config), seed=3)
    network.generation_config.bad_words_ids = [[pad]]
    model = Seq2SeqModel(network, tokenizer, name="tiny", target_language=target_language)
    before = (f">>{target_language}<<",) if codes else ()
    return learn_(Tiny(model, start=("<pad>",), before=before, after=("</s>",), never=(pad,)))


def marian_multilingual(folder: Path) -> Tiny:
    return marian(folder, (">>es<<", ">>pt<<"), "pt")


def student_folder(folder: Path, *, int8: bool = False, config: dict = marian_file.CONFIG, seed: int = 0) -> Path:
    """A directory that holds a marian-nmt `.bin` and its `.spm`."""
    ids = {"eos_id": 0, "unk_id": 1, "bos_id": -1, "pad_id": -1}
    processor = sentencepiece(folder, "vocab.spm", ENGLISH + PORTUGUESE, **ids)
    tensors = marian_file.random_tensors(config, processor.get_piece_size(), WIDTH, seed)
    marian_file.write(folder / "model.bin", config, tensors, int8=int8)
    return folder


def student(folder: Path, *, int8: bool = False, autoregression: str = "rnn") -> Tiny:
    """As Mozilla's students: one vocabulary, `</s>` 0, the zero vector first."""
    config = marian_file.CONFIG | {"transformer-decoder-autoreg": autoregression}
    student_folder(folder, int8=int8, config=config)
    network = build_model(read_marian_binary(folder / "model.bin")).double()
    model = Seq2SeqModel(network, build_tokenizer(folder / "vocab.spm"), name="tiny", source_language="en")
    return Tiny(model, start=("<pad>",), after=("</s>",))


def ssru(folder: Path) -> Tiny:
    return learn_(student(folder))


def ssru_int8(folder: Path) -> Tiny:
    return student(folder, int8=True)


def marian_binary(folder: Path) -> Tiny:
    return learn_(student(folder, autoregression="self-attention"))


def bart(folder: Path, steps: int = 60) -> Tiny:
    """Byte-level BPE; the first piece after `</s>` is forced to be `<s>`."""
    pieces = bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.ByteLevel.alphabet())
    tokenizer = hf.BartTokenizer(**pieces)
    config = hf.BartConfig(vocab_size=len(tokenizer), scale_embedding=True, **stacks())
    network = randomise_(hf.BartForConditionalGeneration(config), seed=1)
    network.generation_config.forced_bos_token_id = 0
    model = Seq2SeqModel(network, tokenizer, name="tiny")
    return learn_(Tiny(model, start=("</s>", "<s>"), before=("<s>",), after=("</s>",)), steps)


def mbart50(folder: Path) -> Tiny:
    """The decoder starts with `</s>` and is forced to go on with its language."""
    special = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)]
    tokenizer = hf.MBart50Tokenizer(vocab=special + unigrams(folder), src_lang="en_XX", tgt_lang="pt_XX")
    config = hf.MBartConfig(vocab_size=len(tokenizer), decoder_start_token_id=2, scale_embedding=True, **stacks())
    network = randomise_(hf.MBartForConditionalGeneration(config), seed=2)
    model = Seq2SeqModel(network, tokenizer, name="tiny", source_language="pt_XX", target_language="en_XX")
    return learn_(Tiny(model, start=("</s>", "en_XX"), before=("pt_XX",), after=("</s>",)))


def mbart25(folder: Path) -> Tiny:
    """The decoder starts with its language."""
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    codes = [(code, 0.0) for code in FAIRSEQ_LANGUAGE_CODES]
    tokenizer = hf.MBartTokenizer(vocab=special + unigrams(folder) + codes + [("<mask>", 0.0)])
    start = tokenizer.convert_tokens_to_ids("ro_RO")
    config = hf.MBartConfig(vocab_size=len(tokenizer), decoder_start_token_id=start, **stacks())
    network = randomise_(hf.MBartForConditionalGeneration(config), seed=3)
    model = Seq2SeqModel(network, tokenizer, name="tiny", source_language="en_XX", target_language="ro_RO")
    return learn_(Tiny(model, start=("ro_RO",), after=("</s>", "en_XX")))


def m2m100(folder: Path) -> Tiny:
    """A slow tokenizer; `en` and `pt` are languages, and pieces of words, too."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *(piece for piece, _ in unigrams(folder)), "en", "pt"]
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(dict.fromkeys(pieces))}))
    tokenizer = hf.M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "spm.model"), src_lang="fr")
    size = len(tokenizer.encoder) + len(tokenizer.lang_token_to_id) + tokenizer.num_madeup_words
    config = hf.M2M100Config(vocab_size=size, decoder_start_token_id=2, **stacks())
    network = randomise_(hf.M2M100ForConditionalGeneration(config), seed=4)
    model = Seq2SeqModel(network, tokenizer, name="tiny", source_language="en", target_language="pt")
    return learn_(Tiny(model, start=("</s>", "__pt__"), before=("__en__",), after=("</s>",)))


def nllb(folder: Path) -> Tiny:
    """M2M100 with a fast tokenizer over BPE."""
    pieces = bpe(pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True), [])
    tokenizer = hf.NllbTokenizer(**pieces)
    config = hf.M2M100Config(vocab_size=len(tokenizer), decoder_start_token_id=2, **stacks())
    network = randomise_(hf.M2M100ForConditionalGeneration(config), seed=5)
    model = Seq2SeqModel(network, tokenizer, name="tiny", source_language="eng_Latn", target_language="por_Latn")
    return learn_(Tiny(model, start=("</s>", "por_Latn"), before=("eng_Latn",), after=("</s>",)))


def t5(folder: Path, architecture: str = "T5", prefix: str | None = "The old, ", **settings: object) -> Tiny:
    """Two embeddings more than pieces, as the published ones have; the decoder starts with padding."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *unigrams(folder)]
    tokenizer = hf.T5Tokenizer(vocab=pieces + [(f"<extra_id_{i}>", 0.0) for i in (1, 0)], extra_ids=2)
    config = getattr(hf, f"{architecture}Config")(
        vocab_size=len(tokenizer) + 2, d_model=WIDTH, d_kv=WIDTH // HEADS, d_ff=FFN, num_layers=ENCODER,
        num_decoder_layers=DECODER, num_heads=HEADS, decoder_start_token_id=0, relative_attention_num_buckets=8,
        relative_attention_max_distance=16, **settings,
    )  # fmt: skip
    network = getattr(hf, f"{architecture}ForConditionalGeneration")(config)
    if settings.get("tie_word_embeddings") is False:  # as a checkpoint with a head of its own is loaded
        network.lm_head.weight = torch.nn.Parameter(torch.empty_like(network.lm_head.weight))
    randomise_(network, seed=6)
    model = Seq2SeqModel(network, tokenizer, name="tiny", source_language="en", prefix=prefix)
    before = tuple(tokenizer.tokenize(prefix or ""))
    return learn_(Tiny(model, start=("<pad>",), before=before, after=("</s>",)))


def t5_untied(folder: Path) -> Tiny:
    """As T5 1.1 and FLAN: gated, and a head of its own that reads the states as they are."""
    return t5(folder, prefix="", feed_forward_proj="gated-gelu", tie_word_embeddings=False)


def mt5(folder: Path) -> Tiny:
    return t5(folder, "MT5", prefix=None)


MODELS: dict[str, Callable[[Path], Tiny]] = {
    "marian": marian, "marian-multilingual": marian_multilingual, "marian-binary": marian_binary, "ssru": ssru,
    "ssru-int8": ssru_int8, "bart": bart, "mbart-50": mbart50, "mbart-25": mbart25, "m2m100": m2m100, "nllb": nllb,
    "t5": t5, "t5-untied": t5_untied, "mt5": mt5,
}  # fmt: skip
