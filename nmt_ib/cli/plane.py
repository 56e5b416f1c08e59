"""`nmt-ib plane`: layers in the information plane."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.layers import transformer_plane
from nmt_ib.cli.run_directory import begun
from nmt_ib.cli.terminal import Json, Seed, Threads, out, present, progress, set_threads
from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from nmt_ib.networks.experiments import Experiment
    from nmt_ib.results.information_plane import Plane

RESULT = "plane.json"
OF_NETWORKS = (
    "experiment", "activation", "seeds", "epochs", "measurements", "train_share", "images", "full_batch", "noise",
    "orthonormality",
)  # fmt: skip
TYPED = "COMMANDLINE"  # how typer calls the source of what is no default
OF_MODELS = ("model", "data", "tokens", "clusters")
EXAMPLE = """\b
Example:
  $ nmt-ib plane --experiment szt --activation tanh --epochs 1000 --estimators binning --out run
  10 networks, 1000 epochs; accuracy 0.987 learned from, 0.977 not
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
  run/plane.json
  run/plane.png
  run/learning.png
  run/plane.gif
"""


def plane(
    context: typer.Context,
    experiment: Annotated[
        str, typer.Option(help="szt, saxe-linear, saxe-irrelevant, goldfeld-noisy or mnist.")
    ] = "szt",
    activation: Annotated[str | None, typer.Option(help="Of the hidden layers: tanh, relu or linear.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Networks, each with a seed of its own.")] = 10,
    epochs: Annotated[int | None, typer.Option(min=0, help="Of training; else those of the experiment.")] = None,
    estimators: Annotated[
        str | None,
        typer.Option(
            help="binning, kde, sp, exact; with --model clusters, infonce: several with commas; else those of the "
            "experiment, or clusters."
        ),
    ] = None,
    measurements: Annotated[int, typer.Option(min=1, help="Epochs at which layers are measured, at most.")] = 60,
    train_share: Annotated[float | None, typer.Option(help="Share of the 4,096 patterns to learn from.")] = None,
    images: Annotated[str | None, typer.Option(help="Directory of idx files, for mnist.")] = None,
    full_batch: Annotated[bool, typer.Option("--full-batch", help="Take all examples in each step.")] = False,
    noise: Annotated[float | None, typer.Option(min=0, help="Deviation of the noise inside the network.")] = None,
    orthonormality: Annotated[
        float | None, typer.Option(min=0, max=1, help="Pull of the weights towards orthonormal ones.")
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option("--out", help="For plane.json and figures; a killed run goes on, ten seeds at a time."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A translation model or an encoder in place of an experiment, with --data.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Sentences, one a line, or a treebank, for --model.")] = None,
    tokens: Annotated[int, typer.Option(min=1, help="States of the model at most.")] = 50_000,
    clusters: Annotated[int, typer.Option(min=2, help="Clusters of the model's states.")] = 100,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Follows the layers of small networks in training, or those of a translation model, through the plane."""
    from nmt_ib.networks.experiments import experiment_of

    set_threads(threads)
    if asks_for_model(context):
        transformer_plane(model, data, tokens, clusters, estimators, directory, seed, as_json=as_json)
        return
    chosen = experiment_of(
        experiment, activation=activation, train_share=train_share, images=images, full_batch=full_batch, noise=noise,
        orthonormality=orthonormality,
    )  # fmt: skip
    settings: dict[str, Any] = {
        "epochs": chosen.epochs if epochs is None else epochs,
        "estimators": estimators.split(",") if estimators else list(chosen.estimators),
        "measurements": measurements,
    }
    plane_of_networks(experiment, chosen, range(seed, seed + seeds), settings, directory, as_json=as_json)


def asks_for_model(context: typer.Context) -> bool:
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


def plane_of_networks(
    name: str,
    experiment: "Experiment",
    seeds: range,
    settings: dict[str, Any],
    directory: Path | None,
    *,
    as_json: bool,
) -> None:
    """Trains networks, measures their layers and shows them.

    Args:
        name: Of the experiment.
        experiment: Networks and task.
        seeds: Of all networks.
        settings: See `information_plane`.
        directory: For plane.json and figures.
        as_json: Whether to print one JSON document instead of a table.
    """
    from nmt_ib.studies.planes.networks import check_request, signature_of

    check_request(seeds, **settings)
    signature = signature_of(name, experiment, seeds, **settings)
    with begun(directory, signature) as run:
        found = replace(trained(run.path, experiment, seeds, settings), signature=signature.to_dict())
        files = write(found, run.path) if directory else []
    present(found, show, files, as_json=as_json)


def trained(folder: Path, experiment: "Experiment", seeds: range, settings: dict[str, Any]) -> "Plane":
    """Trains and measures ten networks at a time; those that are there already are read.

    Args:
        folder: Has, and gets, a file for each ten.
        experiment: Networks and task.
        seeds: Of all networks.
        settings: See `information_plane`.

    Returns:
        All points.
    """
    from nmt_ib.reports.jsonfile import read_json, write_json
    from nmt_ib.results.information_plane import Plane
    from nmt_ib.studies.planes.networks import groups, information_plane

    planes = []
    with progress("epochs of networks", len(seeds) * settings["epochs"]) as advance:
        for group in groups(seeds):
            path = folder / f"seeds-{group[0]}-{group[-1]}.json"
            if path.is_file():
                planes.append(Plane.from_dict(read_json(path)))
                advance(len(group) * settings["epochs"])
            else:
                planes.append(information_plane(experiment, group, progress=advance, **settings))
                write_json(path, planes[-1].to_dict())
    return Plane.joined(planes)


def write(found: "Plane", folder: Path) -> list[Path]:
    """Writes points and figures.

    Args:
        found: The points.
        folder: Where to.

    Returns:
        The files.
    """
    from nmt_ib.reports.jsonfile import write_json
    from nmt_ib.reports.png.plane import write_plane_figures

    write_json(folder / RESULT, found.to_dict())
    return [folder / RESULT, *write_plane_figures(folder, found)]


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
    out.print(f"{counts}; {share} {train:.3f} learned from, {test:.3f} not", soft_wrap=True)
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
