"""What does sigma cost, and is it as good? Ours against the procedure of Guan et al.'s own code, in one run.

Theirs: one sentence at a time, sigma = .5 sigmoid(a), a ~ N(0, 1), Adam .01, one noise draw a step, the undisturbed
state computed again at each step, the state with the lowest noisy loss kept. Both minimise the same loss: layer 6,
differences over the corpus' standard deviation of each dimension ("corpus") or over the size of the sentence's own
state ("state", as in the paper), rate .1, all pieces disturbed. Under "state" a first noise
far beyond the spread of the embeddings (--peer-scale) leads them to a poor optimum.

    python recipes/benchmark_sigma.py newstest2019-src.eng.txt.gz --model builtin:minilm --peer-sentences 5
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from scipy.stats import spearmanr

from nmt_ib.attribution.noise_search import NoiseSearch
from nmt_ib.attribution.sigma import REGULARIZATIONS, Sigma
from nmt_ib.attribution.statistics import statistics_for
from nmt_ib.data.text import read_lines
from nmt_ib.models.loading import load_model
from nmt_ib.results.attribution import Attribution

PIECES = range(14, 24)
LEARNING_RATE = 0.01


def peer(problem: NoiseSearch, steps: int, scale: float, seed: int) -> tuple[torch.Tensor, float, float, int]:
    """Sigma of one sentence by the authors' procedure: after a tenth of the steps, and after all."""
    generator = torch.Generator().manual_seed(seed)
    free = torch.randn(problem.disturbed.shape, generator=generator).requires_grad_()
    optimizer = torch.optim.Adam([free], LEARNING_RATE)
    state = problem.states(1)
    lowest, best, early = float("inf"), free.detach(), free.detach()
    began, early_seconds = time.perf_counter(), 0.0
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
            early, early_seconds = best, time.perf_counter() - began
    return early, best, early_seconds, time.perf_counter() - began


def timed(run: Callable[[], list[Attribution]]) -> tuple[list[Attribution], float]:
    """What a call returns, and its wall clock for each sentence."""
    began = time.perf_counter()
    found = run()
    return found, (time.perf_counter() - began) / len(found)


def main() -> None:
    """Prints passes, seconds, the loss on fresh noise and rank correlations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="sentences, one a line")
    parser.add_argument("--model", default="builtin:minilm")
    parser.add_argument("--layer", type=int, default=6)
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--peer-sentences", type=int, default=5, help="how many of them the slow procedure gets")
    parser.add_argument("--peer-steps", type=int, default=5000)
    parser.add_argument("--peer-scale", type=float, default=0.5, help="their noise is at most so much")
    parser.add_argument("--regularization", choices=REGULARIZATIONS, default="corpus")
    parser.add_argument("--draws", type=int, default=512, help="fresh noise on which losses are compared")
    parser.add_argument("--smoke", action="store_true", help="1 sentence, 10 steps")
    options = parser.parse_args()
    if options.smoke:
        options.sentences, options.peer_sentences, options.peer_steps, options.draws = 1, 1, 10, 4
    torch.set_num_threads(1)
    model = load_model(options.model)
    model.model.requires_grad_(False)
    read = (model.tokenize_source(line) for line in read_lines(options.source))
    sources = list(islice((one for one in read if len(one) in PIECES), options.sentences))
    statistics = statistics_for(model)
    method = Sigma(
        layer=options.layer, include_special=True, statistics=statistics, regularization=options.regularization
    )

    def problem(place: int, seed: int = 0) -> NoiseSearch:
        return replace(method, seed=seed).problem(model, sources[place : place + 1], statistics=statistics)

    compared = sources[: options.peer_sentences]
    method(model, compared)  # a warm-up
    in_batch, batched = timed(lambda: method(model, sources))
    _, alone = timed(lambda: [method(model, [one])[0] for one in sources])
    found = [torch.tensor(one.sigma) for one in in_batch]
    again = [torch.tensor(one.sigma) for one in replace(method, seed=1)(model, compared)]
    long = replace(method, steps=40, pairs=16, seed=2)
    figures: dict[str, list[float]] = {}
    for place in range(len(compared)):
        early, best, early_seconds, all_seconds = peer(
            problem(place), options.peer_steps, options.peer_scale, seed=place
        )
        converged = torch.tensor(long(model, sources[place : place + 1])[0].sigma)
        sigmas = {"ours": found[place], "peer early": early[0], "peer": best[0], "converged": converged}
        for name, sigma in sigmas.items():
            loss = problem(place, seed=99).objective(sigma[None], options.draws).item()
            figures.setdefault(f"loss, {name}", []).append(loss)
            figures.setdefault(f"rank, {name}", []).append(spearmanr(sigma, converged).statistic)
        figures.setdefault("rank, ours with other noise", []).append(spearmanr(found[place], again[place]).statistic)
        figures.setdefault("seconds, peer early", []).append(early_seconds)
        figures.setdefault("seconds, peer", []).append(all_seconds)
        gap = figures["loss, ours"][-1] - figures["loss, converged"][-1]
        print(
            f"sentence {place + 1}: {len(sources[place])} pieces, ours {gap:+.5f} above the converged loss", flush=True
        )
    mean = {name: float(np.mean(values)) for name, values in figures.items()}
    peer_passes = 3 * options.peer_steps
    spread = float(statistics.layer(0).std.mean())
    print(f"\nembeddings spread by {spread:.3f}; differences over: {options.regularization}")
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
    print(f"two of our searches with other noise: rank correlation {mean['rank, ours with other noise']:.3f}")
    print(
        f"against {options.peer_steps:,} steps: {peer_passes / method.passes:.0f} times fewer passes, "
        f"{mean['seconds, peer'] / alone:.0f} times less time alone, {mean['seconds, peer'] / batched:.0f} batched; "
        f"against {options.peer_steps // 10:,} steps: {mean['seconds, peer early'] / alone:.0f} and "
        f"{mean['seconds, peer early'] / batched:.0f}"
    )


if __name__ == "__main__":
    main()
