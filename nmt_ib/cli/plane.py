"""`nmt-ib plane`: layers in the information plane."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.layers import show as show_layers
from nmt_ib.cli.terminal import (
    BatchSize,
    Device,
    Json,
    Prefix,
    Seed,
    SourceLanguage,
    TargetLanguage,
    Threads,
    out,
    present,
    set_threads,
    split,
)
from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from nmt_ib.results.information_plane import Plane

OF_NETWORKS = (
    "experiment", "activation", "seeds", "epochs", "measurements", "train_share", "images", "full_batch", "noise",
    "orthonormality",
)  # fmt: skip
TYPED = "COMMANDLINE"  # how typer calls the source of what is no default
OF_MODELS = (
    "model", "data", "tokens", "clusters", "source_language", "target_language", "prefix", "device", "batch_size",
)  # fmt: skip
Experiment = Literal["szt", "saxe-linear", "saxe-irrelevant", "goldfeld-noisy", "mnist"]
EXAMPLE = """\b
Example:
  $ nmt-ib plane --experiment szt --activation tanh --epochs 1000 --estimators binning --out run
  10 networks, 1000 epochs; accuracy 0.987 on training data, 0.977 on test data
   ──────────────────────────────────────────────────────────────────────────────
                          I(X;T)                                  I(T;Y)
    layer   estimator     before     most   at epoch    after     before   after
   ──────────────────────────────────────────────────────────────────────────────
        1   binning       12.000   12.000          0   12.000      1.000   1.000
        2   binning       11.994   11.999         34   11.987      0.998   0.999
        3   binning       11.383   11.655         42   11.025      0.801   0.991
        4   binning        8.733   10.016         42    6.547      0.310   0.980
        5   binning        6.093    8.055         38    3.034      0.127   0.971
        6   binning        1.535    4.235         48    1.590      0.019   0.950
   ──────────────────────────────────────────────────────────────────────────────
  H(Y) = I(X;Y) = 0.999570 bits; of the published data 0.999157 bits.
  Y is a function of X: the optimal curve is I(T;Y) = I(X;T) up to H(Y), one optimum for every beta above 1.
  run/learning.png
  run/plane.gif
  run/plane.png
  run/summary.json
"""


def plane(
    context: typer.Context,
    experiment: Annotated[Experiment, typer.Option(help="Networks and task of a published experiment.")] = "szt",
    activation: Annotated[
        Literal["tanh", "relu", "linear"] | None, typer.Option(help="Activation of the hidden layers.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of networks, each with its own seed.")] = 10,
    epochs: Annotated[
        int | None, typer.Option(min=0, help="Training epochs; by default those of the experiment.")
    ] = None,
    estimators: Annotated[
        str | None,
        typer.Option(
            help="binning, kde, sp, exact; with --model clusters, infonce; several separated by commas. By default "
            "those of the experiment, or clusters."
        ),
    ] = None,
    measurements: Annotated[
        int, typer.Option(min=1, help="Maximum number of epochs at which layers are measured.")
    ] = 60,
    train_share: Annotated[float | None, typer.Option(help="Share of the 4,096 patterns to train on.")] = None,
    images: Annotated[str | None, typer.Option(help="Directory of idx files, for mnist.")] = None,
    full_batch: Annotated[bool, typer.Option("--full-batch", help="Use all training examples in each step.")] = False,
    noise: Annotated[
        float | None, typer.Option(min=0, help="Standard deviation of the noise inside the network.")
    ] = None,
    orthonormality: Annotated[
        float | None, typer.Option(min=0, max=1, help="Strength with which weights are drawn to orthonormal ones.")
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Run directory for points and figures; rerun the same command to resume, ten networks at a time.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A translation model or an encoder instead of an experiment; needs --data.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="For --model: sentences, one a line, or a treebank.")] = None,
    tokens: Annotated[int, typer.Option(min=1, help="Maximum number of states of the model.")] = 50_000,
    clusters: Annotated[int, typer.Option(min=2, help="Number of clusters of the model's states.")] = 100,
    source_language: SourceLanguage = None,
    target_language: TargetLanguage = None,
    prefix: Prefix = None,
    seed: Seed = 0,
    device: Device = "cpu",
    batch_size: BatchSize = 32,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Places layers in the information plane: of small networks during training, or of a model."""
    from nmt_ib.studies.planes.plane import plane_of_model, plane_of_networks

    set_threads(threads)
    names = None if estimators is None else split(estimators)
    if model_requested(context):
        if model is None or data is None:
            raise RequestError("--model and --data belong together: the layers of a model are measured on a text")
        layers = plane_of_model(
            model, data, tokens=tokens, clusters=clusters, estimators=names or ("clusters",),
            source_language=source_language, target_language=target_language, prefix=prefix, seed=seed,
            batch_size=batch_size, device=device, progress=True, out=directory,
        )  # fmt: skip
        present(layers, show_layers, directory, as_json=as_json)
        return
    found = plane_of_networks(
        experiment, activation=activation, seeds=seeds, epochs=epochs, estimators=names, measurements=measurements,
        train_share=train_share, images=images, full_batch=full_batch, noise=noise, orthonormality=orthonormality,
        seed=seed, progress=True, out=directory,
    )  # fmt: skip
    present(found, show, directory, as_json=as_json)


def model_requested(context: typer.Context) -> bool:
    """Whether the options are those of a model that is there, not of networks to train.

    Args:
        context: What was typed.

    Returns:
        False where options of neither were given.

    Raises:
        RequestError: Options of both were given.
    """
    options = {option.name: option.opts[0] for option in context.command.params}
    networks, models = (
        [options[name] for name in names if (source := context.get_parameter_source(name)) and source.name == TYPED]
        for names in (OF_NETWORKS, OF_MODELS)
    )
    if networks and models:
        raise RequestError(
            f"{', '.join(networks)} would train networks, {', '.join(models)} would measure a model: expected one or "
            "the other"
        )
    return bool(models)


def show(found: "Plane") -> None:
    """Prints where each layer began, where it knew most of the input, and where it ended.

    Args:
        found: The points.
    """
    last = max(point.epoch for point in found)
    ends = [point for point in found if point.epoch == last]
    train = sum(point.train_accuracy for point in ends) / len(ends)
    test = sum(point.test_accuracy for point in ends) / len(ends)
    seeds = len({point.seed for point in ends})
    counts = f"{seeds} network{'' if seeds == 1 else 's'}, {last} epoch{'' if last == 1 else 's'}"
    linear = found.signature["settings"]["training"]["output"] == "linear"
    share = "share of variance explained" if linear else "accuracy"
    out.print(f"{counts}; {share} {train:.3f} on training data, {test:.3f} on test data", soft_wrap=True)
    table = Table(box=HORIZONTALS)
    heads = ("layer", "estimator", "I(X;T) before", "most", "at epoch", "after", "I(T;Y) before", "after")
    for column, head in enumerate(heads):
        table.add_column(head, justify="left" if column == 1 else "right", no_wrap=column == 1)
    for estimator, part, layer in dict.fromkeys((p.estimator, p.input_part, p.layer) for p in found):
        path = found.path(layer, estimator, part)
        most = max(path, key=lambda place: place[1])
        name = estimator if part == "whole" else f"{estimator}, {part}"
        bits = (f"{path[0][1]:.3f}", f"{most[1]:.3f}", str(most[0]), f"{path[-1][1]:.3f}")
        table.add_row(str(layer), name, *bits, f"{path[0][2]:.3f}", f"{path[-1][2]:.3f}")
    out.print(table)
    for note in (*found.notes, *found.warnings):
        out.print(note, soft_wrap=True)
