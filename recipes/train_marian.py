"""How good is a translation model that one core trains in an hour? Trains one and saves every epoch.

A small Marian model with a joint SentencePiece vocabulary, from scratch. OUT/epoch-0 is untrained; every OUT/epoch-N is
a model in Hugging Face form that all commands take. Rerun the same command to resume an interrupted training.

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

from nmt_ib import Sentence, Seq2SeqModel, load_translation_model, own_answers, read_lines

LEARNING_RATE, WARMUP = 2e-3, 500  # Adam; linear warm-up over so many steps, then inverse square root decay
BATCH, SMOOTHING = 64, 0.1  # sentence pairs, about 2,000 pieces of both languages; label smoothing
STATE = "training.pt"  # in the last epoch: optimizer, and all weights: Hugging Face does not save positions
Pairs, Texts = list[tuple[Sentence, Sentence]], tuple[list[str], list[str]]


def tokenizer_of(folder: Path, options: argparse.Namespace) -> MarianTokenizer:
    """A joint vocabulary of both languages, learned from all lines."""
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
    ids = {pieces.id_to_piece(index): index for index in range(len(pieces))} | {"<pad>": len(pieces)}
    Path(vocabulary).write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    return MarianTokenizer(source, target, vocabulary, source_lang=options.source, target_lang=options.target)


def untrained(tokenizer: MarianTokenizer, options: argparse.Namespace) -> MarianMTModel:
    """Random weights, scaled so that layers preserve the size of their inputs."""
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


def save_epoch(model: MarianMTModel, tokenizer: MarianTokenizer, folder: Path, optimizer: Adam | None = None) -> None:
    """Writes one epoch with the optimizer's state, atomically."""
    unfinished = folder.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    if optimizer is not None:
        torch.save({"weights": model.state_dict(), "optimizer": optimizer.state_dict()}, unfinished / STATE)
    unfinished.rename(folder)


def train_epoch(model: Seq2SeqModel, pairs: Pairs, optimizer: Adam, epoch: int, seed: int) -> float:
    """Trains for one epoch and returns the mean loss in nats per piece."""
    torch.manual_seed(seed + epoch)
    generator, losses = random.Random(f"{seed}-{epoch}"), []
    longest_first = sorted(generator.sample(pairs, len(pairs)), key=lambda pair: -max(map(len, pair)))
    plan = [longest_first[first : first + BATCH] for first in range(0, len(pairs), BATCH)]
    model.model.train()
    for step, batch in enumerate(generator.sample(plan, len(plan)), start=(epoch - 1) * len(plan) + 1):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(step / WARMUP, (WARMUP / step) ** 0.5)
        source, target = (model.pad(side) for side in zip(*batch, strict=True))
        prefix = torch.nn.functional.pad(target.ids[:, :-1], (1, 0), value=model.pad_id)
        scores = model.model(source.ids, attention_mask=source.mask.long(), decoder_input_ids=prefix).logits
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
    translations = [one.text for one in own_answers(model, [model.tokenize_source(text) for text in texts])]
    bleu, chrf = (metric(translations, [references]).score for metric in (corpus_bleu, corpus_chrf))
    return f"BLEU {bleu:.1f}  chrF {chrf:.1f}"


def train(model: Seq2SeqModel, pairs: Pairs, held_out: Texts, options: argparse.Namespace) -> None:
    """Trains from the last saved epoch on."""
    done = max(int(folder.name.split("-")[1]) for folder in options.out.glob("epoch-*") if not folder.suffix)
    weights = [weight for weight in model.model.parameters() if weight.requires_grad]
    optimizer = Adam(weights, betas=(0.9, 0.98), eps=1e-9)
    if done:
        state = torch.load(options.out / f"epoch-{done}" / STATE, weights_only=True)
        model.model.load_state_dict(state["weights"])
        optimizer.load_state_dict(state["optimizer"])
    for epoch in range(done + 1, options.epochs + 1):
        start = time.monotonic()
        loss = train_epoch(model, pairs, optimizer, epoch, options.seed)
        save_epoch(model.model, model.tokenizer, options.out / f"epoch-{epoch}", optimizer)
        (options.out / f"epoch-{epoch - 1}" / STATE).unlink(missing_ok=True)
        minutes = (time.monotonic() - start) / 60
        print(f"epoch {epoch}  loss {loss:.3f}  {quality(model, *held_out)}  {minutes:.1f} minutes", flush=True)


def main() -> None:
    """Trains the model and prints one line per epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("train_source", "train_target", "val_source", "val_target"):
        parser.add_argument(name, help="one sentence per line")
    parser.add_argument("--source", default="en", help="source language")
    parser.add_argument("--target", default="de", help="target language")
    parser.add_argument("--pieces", type=int, default=4000, help="size of the vocabulary")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2, help="layers of the encoder, and of the decoder")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--smoke", action="store_true", help="width 16, one epoch")
    options = parser.parse_args()
    if options.smoke:
        options.pieces, options.width, options.epochs = 60, 16, 1
    if not (options.out / "epoch-0").is_dir():
        tokenizer = tokenizer_of(options.out / "vocabulary", options)
        save_epoch(untrained(tokenizer, options), tokenizer, options.out / "epoch-0")
    model = load_translation_model(options.out / "epoch-0")
    sources = map(model.tokenize_source, read_lines(options.train_source))
    targets = map(model.tokenize_target, read_lines(options.train_target))
    held_out = list(read_lines(options.val_source)), list(read_lines(options.val_target))
    train(model, list(zip(sources, targets, strict=True)), held_out, options)


if __name__ == "__main__":
    main()
