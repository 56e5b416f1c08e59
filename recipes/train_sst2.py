"""How accurate are the four classifiers of Guan et al. (2019)? Trains them on SST-2 and saves every epoch.

MiniLM is fine-tuned; a small Transformer, a BiLSTM and a CNN are trained from scratch (`sst2_models.py` defines them).
OUT/KIND holds the trained classifier, OUT/KIND/epoch-0 (untrained), epoch-1, ... the checkpoints. There is no early
stopping. Rerun the same command to resume an interrupted training.

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

from nmt_ib import Sentence, progress_bar, read_labelled

Rows = list[tuple[str, int]]


@dataclass(frozen=True)
class Training:
    """AdamW with linear warm-up over a tenth of the steps and linear decay to 0."""

    epochs: int
    learning_rate: float
    unknown: float = 0.05  # share of pieces replaced by the unknown piece, so that its embedding is trained
    batch_size: int = 32
    bfloat16: bool = False  # halves the time on processors that support it


TRAININGS = {
    "minilm": Training(2, 5e-5, unknown=0.0, bfloat16=True),
    "transformer": Training(3, 5e-4, unknown=0.15),
    "bilstm": Training(4, 1e-3),
    "cnn": Training(4, 1e-3),
}


def batches(lengths: list[int], size: int, seed: str) -> list[list[int]]:
    """Batches of sentences of similar length, in random order."""
    generator = random.Random(seed)
    shuffled = generator.sample(range(len(lengths)), len(lengths))
    longest_first = sorted(shuffled, key=lambda index: -lengths[index])
    found = [longest_first[start : start + size] for start in range(0, len(lengths), size)]
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
    """Trains for one epoch and returns the mean loss in nats."""
    torch.manual_seed(seed + epoch)
    plan = batches([len(sentence) for sentence in sentences], training.batch_size, f"{seed}-{epoch}")
    total, warm, losses = training.epochs * len(plan), training.epochs * len(plan) / 10, 0.0
    model.model.train()
    with progress_bar(f"{model.name}, epoch {epoch}", len(plan)) as advance:
        for step, indices in enumerate(plan, start=(epoch - 1) * len(plan)):
            for group in optimizer.param_groups:
                group["lr"] = training.learning_rate * min((step + 1) / warm, (total - step) / (total - warm))
            batch = model.pad([sentences[index] for index in indices])
            hidden = (torch.rand(batch.ids.shape) < training.unknown) & (batch.word_index >= 0)
            ids = batch.ids.masked_fill(hidden, model.unknown_id)
            with torch.autocast("cpu", torch.bfloat16, enabled=training.bfloat16):
                scores = model.classify(model.embed(ids), batch.mask)
            loss = torch.nn.functional.cross_entropy(scores.float(), labels[indices])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.model.parameters(), 1.0)
            optimizer.step()
            losses += loss.item() * len(indices)
            advance(1)
    model.model.eval()
    return losses / len(sentences)


def save_epoch(model: Classifier, optimizer: AdamW, folder: Path) -> None:
    """Writes one epoch with the optimizer's state, atomically."""
    unfinished = folder.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    save(model, unfinished)
    torch.save(optimizer.state_dict(), unfinished / "optimizer.pt")
    unfinished.rename(folder)


def train(kind: str, rows: Rows, dev: Rows, training: Training, out: Path, seed: int) -> None:
    """Trains one classifier, from its last saved epoch on."""
    torch.manual_seed(seed)
    done = max((int(path.name.split("-")[1]) for path in out.glob("epoch-*") if not path.suffix), default=-1)
    model = load(out / f"epoch-{done}") if done >= 0 else untrained(kind, [text for text, _ in rows])
    optimizer = AdamW(model.model.parameters(), lr=training.learning_rate, weight_decay=0.01, fused=True)
    if done < 0:
        save_epoch(model, optimizer, out / "epoch-0")
    elif (out / f"epoch-{done}" / "optimizer.pt").exists():
        optimizer.load_state_dict(torch.load(out / f"epoch-{done}" / "optimizer.pt", weights_only=True))
    sentences, labels = [model.tokenize_source(text) for text, _ in rows], torch.tensor([label for _, label in rows])
    for epoch in range(max(done, 0) + 1, training.epochs + 1):
        start = time.monotonic()
        loss = train_epoch(model, sentences, labels, optimizer, training, epoch, seed)
        save_epoch(model, optimizer, out / f"epoch-{epoch}")
        (out / f"epoch-{epoch - 1}" / "optimizer.pt").unlink(missing_ok=True)
        minutes = (time.monotonic() - start) / 60
        print(f"{kind:12} epoch {epoch}  loss {loss:.3f}  accuracy {accuracy(model, dev):.4f}  {minutes:.1f} minutes")
    save(model, out)
    (out / f"epoch-{training.epochs}" / "optimizer.pt").unlink(missing_ok=True)


def main() -> None:
    """Trains the chosen kinds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", type=Path, help="tab-separated: label, sentence")
    parser.add_argument("dev", type=Path, help="development set, in the same form")
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
