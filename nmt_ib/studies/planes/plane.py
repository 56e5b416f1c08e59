"""Layers in the information plane: of small networks while they train, or of a model. The public question."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from nmt_ib.attribution.answers import own_answers
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import resolve_model
from nmt_ib.networks.experiments import EXPERIMENTS, experiment_of
from nmt_ib.progress import progress_bar
from nmt_ib.protocols import EncoderModel
from nmt_ib.requests import check_count, check_number
from nmt_ib.results.information_plane import Plane
from nmt_ib.results.result import Document
from nmt_ib.results.transformer_plane import TransformerPlane
from nmt_ib.runs.directory import Run, open_run
from nmt_ib.runs.loading import load_run, write_report
from nmt_ib.signature import RunSignature, fingerprint_lines
from nmt_ib.studies.planes.layer_states import answers_anything, read_sources
from nmt_ib.studies.planes.networks import check_request, groups, information_plane, signature_of
from nmt_ib.studies.planes.transformer import TransformerPlaneStudy


@dataclass(frozen=True)
class FinishedGroups(Document):
    """Networks that are trained and measured.

    Attributes:
        planes: One for each group of seeds.
    """

    planes: tuple[Plane, ...] = ()


def plane_of_networks(
    experiment: str = "szt",
    *,
    activation: str | None = None,
    seeds: int = 10,
    epochs: int | None = None,
    estimators: Sequence[str] | None = None,
    measurements: int = 60,
    train_share: float | None = None,
    images: str | Path | None = None,
    full_batch: bool = False,
    noise: float | None = None,
    orthonormality: float | None = None,
    seed: int = 0,
    progress: bool = False,
    out: str | Path | None = None,
) -> Plane:
    """Trains small networks and measures their layers on the way.

    Args:
        experiment: A name of `EXPERIMENTS`: szt, saxe-linear, saxe-irrelevant, goldfeld-noisy or mnist.
        activation: Activation of the hidden layers: "tanh", "relu" or "linear"; None: that of the experiment.
        seeds: Number of networks.
        epochs: Training epochs; None: those of the experiment.
        estimators: Names of `nmt_ib.networks.estimators.ESTIMATORS`; None: those of the experiment.
        measurements: Maximum number of epochs at which layers are measured.
        train_share: Share of the 4,096 patterns to train on, between 0 and 1.
        images: Directory of idx files, for "mnist".
        full_batch: Whether each step uses all training examples.
        noise: Standard deviation of the noise inside the network.
        orthonormality: Strength, 0 to 1, with which weights are drawn to orthonormal ones.
        seed: Seed of the first network; the next ones follow.
        progress: Whether to show a progress bar.
        out: Run directory for points and figures; an interrupted run is resumed there, ten networks at a time.

    Returns:
        All points.

    Raises:
        RequestError: There is no such experiment or estimator, a setting does not suit it or is out of range, training
            diverges, or the directory holds something else.
    """
    check_count("seeds", seeds)
    check_number("seed", seed)
    chosen = experiment_of(
        experiment, activation=activation, train_share=train_share, images=images, full_batch=full_batch, noise=noise,
        orthonormality=orthonormality,
    )  # fmt: skip
    settings: dict[str, Any] = {
        "epochs": chosen.epochs if epochs is None else epochs,
        "estimators": list(chosen.estimators if estimators is None else estimators),
        "measurements": measurements,
    }
    all_seeds = range(seed, seed + seeds)
    check_request(all_seeds, **settings)
    signature = signature_of(experiment, chosen, all_seeds, **settings)
    with open_run(out, signature) as run:
        if run.finished:
            return _stored(run)
        done = run.draft(FinishedGroups) or FinishedGroups()
        with progress_bar("epochs of networks", seeds * settings["epochs"], shown=progress) as advance:
            for number, group in enumerate(groups(all_seeds)):
                if number < len(done.planes):
                    advance(len(group) * settings["epochs"])
                else:
                    plane = information_plane(chosen, group, progress=advance, **settings)
                    done = FinishedGroups((*done.planes, plane))
                    run.write_draft(done)
        return _finished(run, replace(Plane.joined(done.planes), signature=signature.to_dict()), out)


def plane_of_model(
    model: EncoderModel | str | Path,
    data: str | Path,
    *,
    tokens: int = 50_000,
    clusters: int = 100,
    estimators: Sequence[str] = ("clusters",),
    source_language: str | None = None,
    target_language: str | None = None,
    prefix: str | None = None,
    seed: int = 0,
    batch_size: int = 32,
    device: str | torch.device | None = None,
    progress: bool = False,
    out: str | Path | None = None,
) -> TransformerPlane:
    """Measures what each layer of a model encodes of words, their neighbours and the output.

    Args:
        model: A translation model, a classifier or an encoder, or its name as `load_model` takes it.
        data: The name of a text, one sentence a line, or a treebank.
        tokens: Maximum number of states, from the start of the text.
        clusters: Number of clusters of the states of a layer, at least 2.
        estimators: "clusters", "infonce" or both.
        source_language: For a model given by name: source language as its tokenizer names it.
        target_language: The same for the target language.
        prefix: For a T5 model given by name: the task prefix.
        seed: Seed of the clusters and of the critics.
        batch_size: Sentences that go through the model at once; does not affect results beyond rounding.
        device: For a model given by name: "cpu" (the default), "cuda", "cuda:1", "mps".
        progress: Whether to show a progress bar.
        out: Run directory for the table and its figure.

    Returns:
        A row for each layer, label and estimator.

    Raises:
        RequestError: The model or the text cannot be read, there is too little text, an estimator is unknown, a setting
            is out of range, or the directory holds something else.
    """
    for name, value, minimum in (("tokens", tokens, 1), ("clusters", clusters, 2), ("batch_size", batch_size, 1)):
        check_count(name, value, minimum)
    check_number("seed", seed)
    study = TransformerPlaneStudy(clusters=clusters, tokens=tokens, seed=seed, estimators=tuple(estimators))
    if out is not None:
        Run(out).check()
    loaded = resolve_model(
        model, source_language=source_language, target_language=target_language, prefix=prefix, device=device
    )
    sources = read_sources(loaded, str(data))
    if not sources:
        raise RequestError(f"{data} holds no sentence that {loaded.name} can read: expected one a line")
    texts = fingerprint_lines(source.text for source in sources)
    signature = RunSignature("plane --model", loaded.name, loaded.fingerprint, {"sources": texts}, asdict(study), seed)
    with open_run(out, signature) as run:
        if run.finished:
            return _stored(run)
        targets = own_answers(loaded, sources, batch_size) if answers_anything(loaded) else None
        with progress_bar("layers x labels", study.counts(loaded), shown=progress) as advance:
            found = study.measure(loaded, sources, targets, batch_size=batch_size, advance=advance)
        if not found:
            raise RequestError("the text holds fewer than two different words: give more text")
        return _finished(run, replace(found, signature=signature.to_dict()), out)


def plane(
    model: EncoderModel | str | Path, data: str | Path | None = None, **settings: Any
) -> Plane | TransformerPlane:
    """Layers in the information plane.

    Args:
        model: The name of an experiment, whose networks are trained and measured (see `plane_of_networks`); or a
            model, or its name, whose layers are measured on a text (see `plane_of_model`).
        data: The text, for a model.
        **settings: Those of `plane_of_networks` or `plane_of_model`.

    Returns:
        Points of networks, or rows of a model's layers.

    Raises:
        RequestError: As `plane_of_networks` and `plane_of_model` say; or an experiment was given a text, or a model
            none.
    """
    if isinstance(model, str) and model in EXPERIMENTS:
        if data is not None:
            raise RequestError(f"{model} is an experiment with data of its own: leave data out")
        return plane_of_networks(model, **settings)
    if data is None:
        raise RequestError(f"the layers of {model} are measured on a text: give data")
    return plane_of_model(model, data, **settings)


def _stored(run: Run) -> Any:
    found = load_run(run.path)
    write_report(run.path, found)
    return found


def _finished(run: Run, found: Any, out: str | Path | None) -> Any:
    run.finish(found)
    if out is not None:
        write_report(run.path, found)
    return found
