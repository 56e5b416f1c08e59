"""What does a diagnosis cost, against translating and against the peers' procedure, in one run?

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
from nmt_ib.data.text import read_lines
from nmt_ib.studies.under_translation.diagnose import UnderTranslation
from nmt_ib.studies.under_translation.stored_references import reference_for


class Passes:
    """Counts the sentences that pass through a model's encoder and decoder, generation included."""

    def __init__(self, model: nmt_ib.Seq2SeqModel) -> None:
        self.counts: Counter[str] = Counter()
        for name, stack in (("encoder", model.encoder), ("decoder", model.decoder)):
            stack.register_forward_hook(lambda _m, _i, output, name=name: self.count(name, output.last_hidden_state))

    def count(self, name: str, states: torch.Tensor) -> None:
        self.counts[f"{name} sentences"] += len(states)
        self.counts[f"{name} positions"] += states.shape[0] * states.shape[1]


def timed(passes: Passes, work: Callable[[], Any], repeats: int) -> tuple[Any, float, str]:
    """Result, median seconds, and passes of one repetition."""
    seconds = []
    for _ in range(repeats):
        passes.counts.clear()
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return result, sorted(seconds)[len(seconds) // 2], f"{dict(passes.counts)}"


def speed(options: argparse.Namespace, lines: list[str]) -> dict[str, dict[str, Any]]:
    """Seconds of translating, of our diagnosis, and of the peers' procedure on the same pairs."""
    model = nmt_ib.load_translation_model(options.model)
    counted = Passes(model)
    study = UnderTranslation(model, reference_for(model, nmt_ib.ContributionMethod(), lines))
    sources = [source for source in map(model.tokenize_source, lines) if source.words]
    study.translate(sources[:8])  # warm up
    targets, translating, passes = timed(counted, lambda: study.translate(sources), options.repeats)
    bench = {
        "greedy_translation": entry(
            translating, "s", passes, f"{len(sources)} lines, batch size 32, {options.threads} threads"
        )
    }
    ours, seconds, passes = timed(counted, lambda: study.method(model, sources, targets), options.repeats)
    bench["diagnosis"] = entry(seconds, "s", passes, "the same lines, after translation, batch size 32")
    bench["diagnosis_over_translation"] = entry(seconds / translating, "x", passes, "greedy_translation; wanted: <= 8")
    for name, operator, what in (
        ("one_by_one", "unknown", "our operator, one sentence at a time, whole softmax"),
        ("contrastive_conditioning", "delete", "Vamvas and Sennrich's rule word by word, one sentence at a time"),
    ):
        plain = nmt_ib.ContributionMethod(operator=operator, shortlist=0)
        pairs = list(zip(sources, targets, strict=True))
        found, slow, passes = timed(counted, lambda: [plain(model, [s], [t], batch_size=16)[0] for s, t in pairs], 1)  # noqa: B023
        bench[name] = entry(slow, "s", passes, f"{what}, batches of 16 words")
        bench[f"{name}_over_diagnosis"] = entry(slow / seconds, "x", passes, "diagnosis")
        if operator == "unknown":
            exact, short = (torch.cat([c.matrix_bits.sum(1) for c in contributions]) for contributions in (found, ours))
            error = (exact - short).square().mean().sqrt() / exact.std()
            bench["shortlist_error"] = entry(float(error), "of std", "", "root mean square over words, whole softmax")
    return bench


def memory(options: argparse.Namespace, lines: list[str]) -> dict[str, dict[str, Any]]:
    """Peak memory of the command on few and on many lines."""
    bench = {}
    for count in (options.memory_lines // 10, options.memory_lines):
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder, "text")
            short = (line[:40] for line in itertools.cycle(lines) if line.strip())
            text.write_text("".join(f"{line}\n" for line in itertools.islice(short, count)), encoding="utf-8")
            command = [sys.executable, "-m", "nmt_ib", "diagnose", str(text), "--out", str(Path(folder, "run"))]
            subprocess.run([*command, "--model", options.model], check=True, stdout=subprocess.DEVNULL)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20  # of all children so far: never falls
        bench[f"memory_{count}_lines"] = entry(peak, "GiB", "", "peak of the whole command; wanted: < 2, and flat")
    return bench


def entry(figure: float, unit: str, passes: str, compared: str) -> dict[str, Any]:
    """One line of bench.json."""
    return {"figure": round(figure, 4), "unit": unit, "passes": passes, "compared_with": compared}


def main() -> None:
    """Writes bench.json and prints it as a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", nargs="?", default="builtin:sample-en")
    parser.add_argument("--model", default="builtin:en-pt")
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--memory-lines", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
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
