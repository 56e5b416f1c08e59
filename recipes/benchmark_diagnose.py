"""What does a diagnosis cost, compared with translation and with contrastive conditioning, in one run?

python recipes/benchmark_diagnose.py newstest2019-src.eng.txt.gz --lines 200 --out bench.json
"""

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import nmt_ib
from nmt_ib import ContributionMethod, Seq2SeqModel, own_answers, read_lines, readable_sentences


class Passes:
    """Counts the sentences that pass through a model's encoder and decoder, including generation."""

    def __init__(self, model: Seq2SeqModel) -> None:
        self.counts: Counter[str] = Counter()
        for name, stack in (("encoder", model.encoder), ("decoder", model.decoder)):
            stack.register_forward_hook(lambda _m, _i, output, name=name: self.count(name, output.last_hidden_state))

    def count(self, name: str, states: torch.Tensor) -> None:
        self.counts[f"{name} sentences"] += len(states)
        self.counts[f"{name} positions"] += states.shape[0] * states.shape[1]


def timed(passes: Passes, work: Callable[[], Any], repeats: int) -> tuple[Any, float, str]:
    """Result, median seconds and passes of one repetition."""
    seconds = []
    for _ in range(repeats):
        passes.counts.clear()
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return result, sorted(seconds)[len(seconds) // 2], f"{dict(passes.counts)}"


def speed(options: argparse.Namespace, lines: list[str]) -> dict[str, dict[str, Any]]:
    """Seconds of translation, of the diagnosis, and of unbatched procedures on the same pairs."""
    model = nmt_ib.load_translation_model(options.model)
    passes, method = Passes(model), ContributionMethod()
    sources = readable_sentences(model, lines)
    own_answers(model, sources[:8])  # warm up
    targets, translation, counts = timed(passes, lambda: own_answers(model, sources), options.repeats)
    setting = f"{len(sources)} lines, batch size 32, {options.threads} threads"
    bench = {"greedy_translation": entry(translation, "s", counts, setting)}
    batched, seconds, counts = timed(passes, lambda: method(model, sources, targets), options.repeats)
    bench["diagnosis"] = entry(seconds, "s", counts, "the same lines, after translation, batch size 32")
    bench["diagnosis_over_translation"] = entry(seconds / translation, "x", counts, "greedy_translation; target: <= 8")
    for name, operator, procedure in (
        ("one_by_one", "unknown", "the same operator, one sentence at a time, full softmax"),
        ("contrastive_conditioning", "delete", "Vamvas and Sennrich's rule word by word, one sentence at a time"),
    ):
        plain = ContributionMethod(operator=operator, shortlist=0)
        pairs = list(zip(sources, targets, strict=True))
        single, slow, counts = timed(passes, lambda: [plain(model, [s], [t], batch_size=16)[0] for s, t in pairs], 1)  # noqa: B023
        bench[name] = entry(slow, "s", counts, f"{procedure}, batches of 16 words")
        bench[f"{name}_over_diagnosis"] = entry(slow / seconds, "x", counts, "diagnosis")
        if operator == "unknown":
            exact, short = (torch.cat([one.matrix_bits.sum(1) for one in found]) for found in (single, batched))
            error = (exact - short).square().mean().sqrt() / exact.std()
            bench["shortlist_error"] = entry(float(error), "of std", "", "root mean square over words, full softmax")
    return bench


def memory(options: argparse.Namespace, lines: list[str]) -> dict[str, dict[str, Any]]:
    """Peak memory of the command with few and with many lines."""
    bench = {}
    for count in (options.memory_lines // 10, options.memory_lines):
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder, "text")
            short = (line[:40] for line in itertools.cycle(lines) if line.strip())
            text.write_text("".join(f"{line}\n" for line in itertools.islice(short, count)), encoding="utf-8")
            command = [sys.executable, "-m", "nmt_ib", "diagnose", str(text), "--out", str(Path(folder, "run"))]
            subprocess.run([*command, "--model", options.model], check=True, stdout=subprocess.DEVNULL)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20  # maximum over all children so far
        bench[f"memory_{count}_lines"] = entry(peak, "GiB", "", "peak of the whole command; target: < 2, and constant")
    return bench


def entry(value: float, unit: str, passes: str, compared: str) -> dict[str, Any]:
    """One entry of bench.json."""
    return {"figure": round(value, 4), "unit": unit, "passes": passes, "compared_with": compared}


def main() -> None:
    """Writes bench.json and prints it as a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", nargs="?", default="builtin:sample-en")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--memory-lines", type=int, default=1000, help="number of lines of the memory test")
    parser.add_argument("--repeats", type=int, default=3, help="repetitions, of which the median counts")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--smoke", action="store_true", help="5 lines, once")
    options = parser.parse_args()
    if options.smoke:
        options.lines, options.memory_lines, options.repeats = 5, 20, 1
    torch.set_num_threads(options.threads)
    lines = list(itertools.islice(read_lines(options.text), options.lines))
    bench = speed(options, lines) | memory(options, lines)
    options.out.write_text(json.dumps(bench, indent=2) + "\n", encoding="utf-8")
    print(f"{'':38} {'figure':>9} unit    compared with ({options.threads} threads)")
    for name, row in bench.items():
        print(f"{name:38} {row['figure']:9.3f} {row['unit']:7} {row['compared_with']}  {row['passes']}")


if __name__ == "__main__":
    main()
