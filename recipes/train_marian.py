"""Is a translation model that one core trains in an hour worth looking into? Trains one, keeping every epoch.

A small Marian model with one vocabulary of sentencepiece, from nothing. OUT/epoch-0 is untrained; every OUT/epoch-N is
a model in Hugging Face form that all commands take. A run that is killed goes on with the same command.

    python recipes/train_marian.py train.en.gz train.de.gz val.en.gz val.de.gz --out runs/marian
"""

import argparse
import json
import random
import shutil
import time
from itertools import chain
from pathlib import Path

import torch
from sacrebleu import corpus_bleu, corpus_chrf
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from torch.nn.functional import cross_entropy
from torch.optim import Adam
from transformers import MarianConfig, MarianMTModel, MarianTokenizer

from nmt_ib.attribution.answers import own_answers
from nmt_ib.batching import length_buckets
from nmt_ib.checkpoint import load_checkpoint, save_checkpoint
from nmt_ib.data.text import read_lines
from nmt_ib.models.loading import load_translation_model
from nmt_ib.models.seq2seq import Seq2SeqModel
from nmt_ib.types import Sentence

LEARNING_RATE, WARM = 2e-3, 500  # of Adam: it rises for so many steps, then falls as one over their root
BATCH, SMOOTHING = 64, 0.1  # about 2,000 pieces of both languages; share of each label that all pieces get
Pairs = list[tuple[Sentence, Sentence]]


def tokenizer_of(folder: Path, options: argparse.Namespace) -> MarianTokenizer:
    """One vocabulary for both languages, learnt from all lines."""
    folder.mkdir(parents=True, exist_ok=True)
    source, target, vocabulary = (str(folder / name) for name in ("source.spm", "target.spm", "vocab.json"))
    with open(source, "wb") as file:
        SentencePieceTrainer.train(
            sentence_iterator=chain(read_lines(options.train_source), read_lines(options.train_target)),
            model_writer=file, vocab_size=options.pieces, hard_vocab_limit=False, character_coverage=1.0,
            eos_id=0, unk_id=1, bos_id=-1, minloglevel=2, num_threads=1,
        )  # fmt: skip
    shutil.copy(source, target)
    pieces = SentencePieceProcessor(model_file=source)
    ids = {pieces.id_to_piece(place): place for place in range(len(pieces))} | {"<pad>": len(pieces)}
    Path(vocabulary).write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    return MarianTokenizer(source, target, vocabulary, source_lang=options.source, target_lang=options.target)


def untrained(tokenizer: MarianTokenizer, options: argparse.Namespace) -> MarianMTModel:
    """Random weights, of a size that keeps what goes through a layer as large as it was."""
    padding, width = tokenizer.pad_token_id, options.width
    parts = {"layers": options.layers, "attention_heads": 4, "ffn_dim": 4 * width}
    sizes = {f"{side}_{name}": size for side in ("encoder", "decoder") for name, size in parts.items()}
    config = MarianConfig(
        vocab_size=padding + 1, d_model=width, **sizes, activation_function="relu", dropout=0.1, init_std=width**-0.5,
        scale_embedding=True, max_position_embeddings=256, pad_token_id=padding, decoder_start_token_id=padding,
        eos_token_id=tokenizer.eos_token_id, forced_eos_token_id=None,
    )  # fmt: skip
    torch.manual_seed(options.seed)
    return MarianMTModel(config)


def keep(model: MarianMTModel, tokenizer: MarianTokenizer, folder: Path) -> None:
    """One epoch, whole or not at all."""
    unfinished = folder.with_suffix(".part")
    for left in (unfinished, folder):  # by a run that was killed before it noted the epoch
        shutil.rmtree(left, ignore_errors=True)
    model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(folder)


def train_epoch(model: Seq2SeqModel, pairs: Pairs, optimizer: Adam, epoch: int, seed: int) -> float:
    """Mean loss in nats a piece."""
    torch.manual_seed(seed + epoch)
    generator, losses = random.Random(f"{seed}-{epoch}"), []
    shuffled = generator.sample(pairs, len(pairs))
    plan = length_buckets([max(map(len, pair)) for pair in shuffled], BATCH)
    model.model.train()
    for step, bucket in enumerate(generator.sample(plan, len(plan)), start=(epoch - 1) * len(plan) + 1):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(step / WARM, (WARM / step) ** 0.5)
        source, target = (model.pad(side) for side in zip(*(shuffled[place] for place in bucket), strict=True))
        read = torch.nn.functional.pad(target.ids[:, :-1], (1, 0), value=model.pad_id)
        scores = model.model(source.ids, attention_mask=source.mask.long(), decoder_input_ids=read).logits
        loss = cross_entropy(scores[target.mask], target.ids[target.mask], label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    model.model.eval()
    return sum(losses) / len(losses)


def quality(model: Seq2SeqModel, texts: list[str], references: list[str]) -> str:
    """BLEU and chrF of greedy translations."""
    written = [one.text for one in own_answers(model, [model.tokenize_source(text) for text in texts])]
    return f"BLEU {corpus_bleu(written, [references]).score:.1f}  chrF {corpus_chrf(written, [references]).score:.1f}"


def train(model: Seq2SeqModel, pairs: Pairs, held: tuple[list[str], list[str]], options: argparse.Namespace) -> None:
    """From the last epoch that was noted, or from nothing."""
    weights = torch.nn.ParameterList(model.model.parameters())  # tied weights once
    optimizer = Adam([weight for weight in weights if weight.requires_grad], betas=(0.9, 0.98), eps=1e-9)
    noted = options.out / "checkpoint.safetensors"
    done = load_checkpoint(noted, {"weights": weights}, optimizer)["epoch"] if noted.is_file() else 0
    for epoch in range(done + 1, options.epochs + 1):
        start = time.monotonic()
        loss = train_epoch(model, pairs, optimizer, epoch, options.seed)
        keep(model.model, model.tokenizer, options.out / f"epoch-{epoch}")
        save_checkpoint(noted, {"weights": weights}, optimizer, {"epoch": epoch})
        minutes = (time.monotonic() - start) / 60
        print(f"epoch {epoch}  loss {loss:.3f}  {quality(model, *held)}  {minutes:.1f} minutes", flush=True)


def main() -> None:
    """Trains, and prints a line an epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("train_source", "train_target", "val_source", "val_target"):
        parser.add_argument(name, help="one sentence a line")
    parser.add_argument("--source", default="en", help="language")
    parser.add_argument("--target", default="de", help="language")
    parser.add_argument("--pieces", type=int, default=4000, help="of the vocabulary")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2, help="of the encoder, and of the decoder")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--smoke", action="store_true", help="a width of 16, one epoch")
    options = parser.parse_args()
    if options.smoke:
        options.pieces, options.width, options.epochs = 60, 16, 1
    if not (options.out / "epoch-0").is_dir():
        tokenizer = tokenizer_of(options.out / "vocabulary", options)
        keep(untrained(tokenizer, options), tokenizer, options.out / "epoch-0")
    model = load_translation_model(options.out / "epoch-0")
    sources = map(model.tokenize_source, read_lines(options.train_source))
    targets = map(model.tokenize_target, read_lines(options.train_target))
    held = list(read_lines(options.val_source)), list(read_lines(options.val_target))
    train(model, list(zip(sources, targets, strict=True)), held, options)


if __name__ == "__main__":
    main()
