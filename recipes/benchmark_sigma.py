"""What does sigma cost, and is it as good? Our fixed point against the procedure of Guan et al.'s code, in one run.

Theirs: one sentence at a time, sigma = .5 sigmoid(a), a ~ N(0, 1), Adam .01, one noise draw per step, the clean state
recomputed at each step, the sigma with the lowest noisy loss returned. Both minimise the same loss: layer 6,
differences divided by the corpus' standard deviation of each dimension ("corpus") or by the size of the sentence's own
state ("state", as in the paper), rate .1, noise on all pieces. With "state", initial noise
far beyond the spread of the embeddings (--peer-scale) leads their procedure to a poor optimum.

    python recipes/benchmark_sigma.py newstest2019-src.eng.txt.gz --model builtin:minilm --peer-sentences 5
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from nmt_ib import Attribution, Sigma, load_model, read_lines, readable_sentences, statistics_for

PIECES = range(14, 24)
LEARNING_RATE = 0.01


def peer(problem: Any, steps: int, scale: float, seed: int) -> tuple[torch.Tensor, float, float, int]:
    """Sigma of one sentence by the authors' procedure after a tenth of the steps and after all, and seconds of each."""
    generator = torch.Generator().manual_seed(seed)
    free = torch.randn(problem.perturbed.shape, generator=generator).requires_grad_()
    optimizer = torch.optim.Adam([free], LEARNING_RATE)
    state = problem.states(1)
    lowest, best, early = float("inf"), free.detach(), free.detach()
    start, early_seconds = time.perf_counter(), 0.0
    for step in range(steps):
        ratio = free.sigmoid()
        noise = torch.randn(problem.inputs.shape, generator=generator)
        clean = state(problem.inputs)
        moved = state(problem.inputs + (scale * ratio)[..., None] * noise)
        loss = (problem.weights * (moved - clean).square()).sum() - problem.entropy_weight[0] * ratio.log().sum()
        optimizer.zero_grad()
        loss.backward()
        if loss.item() < lowest:
            lowest, best = loss.item(), scale * ratio.detach()
        optimizer.step()
        if step + 1 == steps // 10:
            early, early_seconds = best, time.perf_counter() - start
    return early, best, early_seconds, time.perf_counter() - start


def timed(run: Callable[[], list[Attribution]]) -> tuple[list[Attribution], float]:
    """Attributions, and seconds per sentence."""
    start = time.perf_counter()
    attributions = run()
    return attributions, (time.perf_counter() - start) / len(attributions)


def main() -> None:
    """Prints network passes, seconds, losses on fresh noise and rank correlations with the converged sigma."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="sentences, one per line")
    parser.add_argument("--model", default="builtin:minilm")
    parser.add_argument("--layer", type=int, default=6)
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--peer-sentences", type=int, default=5, help="how many of them are compared")
    parser.add_argument("--peer-steps", type=int, default=5000)
    parser.add_argument("--peer-scale", type=float, default=0.5, help="maximum of their sigma")
    parser.add_argument("--regularization", choices=("corpus", "state"), default="corpus")
    parser.add_argument("--draws", type=int, default=512, help="number of noise draws for the comparison of losses")
    parser.add_argument("--smoke", action="store_true", help="1 sentence, 10 steps")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.peer_sentences, options.peer_steps, options.draws = 1, 1, 10, 4
    torch.set_num_threads(1)
    model = load_model(options.model)
    model.model.requires_grad_(False)
    usable = (one for one in readable_sentences(model, read_lines(options.source)) if len(one) in PIECES)
    sources = list(islice(usable, options.sentences))
    statistics = statistics_for(model)
    method = Sigma(
        layer=options.layer, include_special=True, statistics=statistics, regularization=options.regularization
    )

    def problem(index: int, seed: int = 0) -> Any:
        return replace(method, seed=seed).problem(model, sources[index : index + 1], statistics=statistics)

    compared = sources[: options.peer_sentences]
    method(model, compared)  # warm-up
    in_batch, batched = timed(lambda: method(model, sources))
    _, alone = timed(lambda: [method(model, [one])[0] for one in sources])
    ours = [torch.tensor(one.sigma) for one in in_batch]
    again = [torch.tensor(one.sigma) for one in replace(method, seed=1)(model, compared)]
    long = replace(method, steps=40, pairs=16, seed=2)
    figures: dict[str, list[float]] = {}
    for index in range(len(compared)):
        early, best, early_seconds, all_seconds = peer(
            problem(index), options.peer_steps, options.peer_scale, seed=index
        )
        converged = torch.tensor(long(model, sources[index : index + 1])[0].sigma)
        sigmas = {"ours": ours[index], "peer early": early[0], "peer": best[0], "converged": converged}
        for name, sigma in sigmas.items():
            loss = problem(index, seed=99).objective(sigma[None], options.draws).item()
            figures.setdefault(f"loss, {name}", []).append(loss)
            figures.setdefault(f"rank, {name}", []).append(spearmanr(sigma, converged).statistic)
        figures.setdefault("rank, ours with other noise", []).append(spearmanr(ours[index], again[index]).statistic)
        figures.setdefault("seconds, peer early", []).append(early_seconds)
        figures.setdefault("seconds, peer", []).append(all_seconds)
        gap = figures["loss, ours"][-1] - figures["loss, converged"][-1]
        print(
            f"sentence {index + 1}: {len(sources[index])} pieces, our loss {gap:+.5f} above the converged one",
            flush=True,
        )
    mean = {name: float(np.mean(values)) for name, values in figures.items()}
    peer_passes = 3 * options.peer_steps
    spread = float(statistics.layer(0).std.mean())
    print(f"\nstandard deviation of embeddings {spread:.3f}; regularization: {options.regularization}")
    print(f"{options.model}, layer {options.layer}, {len(sources)} sentences of {PIECES[0]} to {PIECES[-1]} pieces")
    print(f"{'':34}{'passes':>8}{'seconds':>9}{'loss':>9}{'rank':>7}")
    rows = [
        (f"theirs, {options.peer_steps:,} steps", peer_passes, mean["seconds, peer"], "peer"),
        (f"theirs, {options.peer_steps // 10:,} steps", peer_passes // 10, mean["seconds, peer early"], "peer early"),
        ("ours, one sentence at a time", method.passes, alone, "ours"),
        ("ours, a padded batch", method.passes, batched, "ours"),
        ("ours, 40 steps of 16 pairs", long.passes, float("nan"), "converged"),
    ]
    for label, passes, spent, name in rows:
        print(f"{label:34}{passes:8,}{spent:9.2f}{mean[f'loss, {name}']:9.4f}{mean[f'rank, {name}']:7.3f}")
    print(f"our search with two seeds: rank correlation {mean['rank, ours with other noise']:.3f}")
    print(
        f"speed-up over {options.peer_steps:,} steps: {peer_passes / method.passes:.0f} times fewer passes, "
        f"{mean['seconds, peer'] / alone:.0f} times less time one at a time, "
        f"{mean['seconds, peer'] / batched:.0f} in batches; over {options.peer_steps // 10:,} steps: "
        f"{mean['seconds, peer early'] / alone:.0f} and {mean['seconds, peer early'] / batched:.0f} times less time"
    )


if __name__ == "__main__":
    main()
