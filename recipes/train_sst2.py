"""How well do the four classifiers of Guan et al. (2019) tell sentiment? Trains them on SST-2, keeping every epoch.

MiniLM is fine-tuned; a small Transformer, a BiLSTM and a CNN start from nothing (`sst2_models.py` defines them).
OUT/KIND holds the trained classifier, OUT/KIND/epoch-0 (untrained), epoch-1, ... the way there. The last epoch is kept,
not the best one. A run that is killed goes on with the same command.

    python recipes/train_sst2.py glue-train.tsv.gz sentences-dev.tsv.gz --out runs/sst2
"""

import argparse
import random
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from sst2_models import KINDS, Classifier, accuracy, load, save, untrained
from torch.optim import AdamW

from nmt_ib.batching import length_buckets
from nmt_ib.cli.terminal import progress
from nmt_ib.data.classification import read_labelled
from nmt_ib.types import Sentence

Rows = list[tuple[str, int]]


@dataclass(frozen=True)
class Training:
    """AdamW whose learning rate rises over a tenth of the steps and falls to 0 over the others."""

    epochs: int
    learning_rate: float
    unknown: float = 0.05  # share of pieces that training reads as unknown, so that the unknown piece means something
    batch_size: int = 32
    bfloat16: bool = False  # takes half the time on processors that have it


TRAININGS = {
    "minilm": Training(2, 5e-5, unknown=0.0, bfloat16=True),
    "transformer": Training(3, 5e-4, unknown=0.15),
    "bilstm": Training(4, 1e-3),
    "cnn": Training(4, 1e-3),
}


def batches(lengths: list[int], size: int, seed: str) -> list[list[int]]:
    """Places of sentences of similar length, drawn anew for each seed."""
    generator = random.Random(seed)
    shuffled = generator.sample(range(len(lengths)), len(lengths))
    found = [[shuffled[place] for place in bucket] for bucket in length_buckets([lengths[p] for p in shuffled], size)]
    generator.shuffle(found)
    return found


def train_epoch(
    model: Classifier,
    sentences: list[Sentence],
    labels: torch.Tensor,
    optimizer: AdamW,
    training: Training,
    epoch: int,
    seed: int,
) -> float:
    """Mean loss in nats."""
    torch.manual_seed(seed + epoch)
    plan = batches([len(sentence) for sentence in sentences], training.batch_size, f"{seed}-{epoch}")
    total, warm, losses = training.epochs * len(plan), training.epochs * len(plan) / 10, 0.0
    model.model.train()
    with progress(f"{model.name}, epoch {epoch}", len(plan)) as advance:
        for step, places in enumerate(plan, start=(epoch - 1) * len(plan)):
            for group in optimizer.param_groups:
                group["lr"] = training.learning_rate * min((step + 1) / warm, (total - step) / (total - warm))
            batch = model.pad([sentences[place] for place in places])
            hidden = (torch.rand(batch.ids.shape) < training.unknown) & (batch.word_index >= 0)
            ids = batch.ids.masked_fill(hidden, model.unknown_id)
            with torch.autocast("cpu", torch.bfloat16, enabled=training.bfloat16):
                scores = model.classify(model.embed(ids), batch.mask)
            loss = torch.nn.functional.cross_entropy(scores.float(), labels[places])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.model.parameters(), 1.0)
            optimizer.step()
            losses += loss.item() * len(places)
            advance(1)
    model.model.eval()
    return losses / len(sentences)


def keep(model: Classifier, optimizer: AdamW, folder: Path) -> None:
    """One epoch with the optimizer's state, whole or not at all."""
    unfinished = folder.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    save(model, unfinished)
    torch.save(optimizer.state_dict(), unfinished / "optimizer.pt")
    unfinished.rename(folder)


def train(kind: str, rows: Rows, dev: Rows, training: Training, out: Path, seed: int) -> None:
    """Trains one classifier, from the last epoch that is there."""
    torch.manual_seed(seed)
    done = max((int(path.name.split("-")[1]) for path in out.glob("epoch-*") if not path.suffix), default=-1)
    model = load(out / f"epoch-{done}") if done >= 0 else untrained(kind, [text for text, _ in rows])
    optimizer = AdamW(model.model.parameters(), lr=training.learning_rate, weight_decay=0.01, fused=True)
    if done < 0:
        keep(model, optimizer, out / "epoch-0")
    elif (out / f"epoch-{done}" / "optimizer.pt").exists():
        optimizer.load_state_dict(torch.load(out / f"epoch-{done}" / "optimizer.pt", weights_only=True))
    sentences, labels = [model.tokenize_source(text) for text, _ in rows], torch.tensor([label for _, label in rows])
    for epoch in range(max(done, 0) + 1, training.epochs + 1):
        start = time.monotonic()
        loss = train_epoch(model, sentences, labels, optimizer, training, epoch, seed)
        keep(model, optimizer, out / f"epoch-{epoch}")
        (out / f"epoch-{epoch - 1}" / "optimizer.pt").unlink(missing_ok=True)
        minutes = (time.monotonic() - start) / 60
        print(f"{kind:12} epoch {epoch}  loss {loss:.3f}  accuracy {accuracy(model, dev):.4f}  {minutes:.1f} minutes")
    save(model, out)
    (out / f"epoch-{training.epochs}" / "optimizer.pt").unlink(missing_ok=True)


def main() -> None:
    """Trains the kinds that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", type=Path, help="tab-separated: label, sentence")
    parser.add_argument("dev", type=Path, help="rows to count the right ones of")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--smoke", action="store_true", help="32 rows, one epoch")
    options = parser.parse_args()
    rows, dev = list(read_labelled(options.train)), list(read_labelled(options.dev))
    if options.smoke:
        rows, dev = rows[:32], dev[:32]
    for kind in options.kinds:
        training = replace(TRAININGS[kind], epochs=1) if options.smoke else TRAININGS[kind]
        train(kind, rows, dev, training, options.out / kind, options.seed)


if __name__ == "__main__":
    main()
