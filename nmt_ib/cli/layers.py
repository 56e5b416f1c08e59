"""The layers of a translation model or an encoder in the information plane, for `nmt-ib plane --model`."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.run_directory import run_directory
from nmt_ib.cli.terminal import out, present, progress
from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nmt_ib.protocols import EncoderModel
    from nmt_ib.results.transformer_plane import TransformerPlane
    from nmt_ib.studies.planes.transformer import TransformerPlaneStudy
    from nmt_ib.types import Sentence

RESULT = "plane.json"


def transformer_plane(
    name: str | None,
    data: str | None,
    tokens: int,
    clusters: int,
    estimators: str | None,
    directory: Path | None,
    seed: int,
    *,
    as_json: bool,
) -> None:
    """Measures the layers of a model and shows what they tell.

    Args:
        name: The model.
        data: Sentences, or a treebank.
        tokens: States at most.
        clusters: Of the states.
        estimators: "clusters", "infonce" or both with a comma; None: clusters.
        directory: For plane.json and the figure.
        seed: Of clusters and critics.
        as_json: Whether to print one JSON document instead of a table.

    Raises:
        RequestError: Model or data are missing, there is too little text, or an estimator is unknown.
    """
    from nmt_ib.models.loading import load_model
    from nmt_ib.reports.jsonfile import write_json
    from nmt_ib.reports.png.transformer_plane import write_transformer_figure
    from nmt_ib.signature import RunSignature, fingerprint_lines
    from nmt_ib.studies.planes.layer_states import readable_sources
    from nmt_ib.studies.planes.transformer import TransformerPlaneStudy

    if name is None or data is None:
        raise RequestError("--model and --data belong together: the layers of a model are measured on a text")
    study = TransformerPlaneStudy(clusters=clusters, tokens=tokens, seed=seed)
    if estimators:
        study = replace(study, estimators=tuple(estimators.split(",")))
    model = load_model(name)
    sources = readable_sources(model, data)
    if not sources:
        raise RequestError(f"{data} holds no sentence that {name} can read: expected one a line")
    texts = fingerprint_lines(source.text for source in sources)
    signature = RunSignature("plane", model.name, model.fingerprint, {"sources": texts}, asdict(study), seed)
    with run_directory(directory) as run:
        run.check(signature.difference(run.signature) if run.signature else None)
        with run.locked():
            found = replace(measured(study, model, sources), signature=signature.to_dict())
            run.begin(found.signature)
            write_json(run.path / RESULT, found.to_dict())
            files = [run.path / RESULT, *write_transformer_figure(run.path, found)] if directory else []
    present(found, show, files, as_json=as_json)


def show(plane: "TransformerPlane") -> None:
    """Prints a table for each estimator.

    Args:
        plane: The layers.
    """
    for estimator in plane.estimators:
        out.print(table(plane, estimator))


def measured(
    study: "TransformerPlaneStudy", model: "EncoderModel", sources: "Sequence[Sentence]"
) -> "TransformerPlane":
    """What the layers tell, with a bar while they are asked.

    Args:
        study: How they are measured.
        model: The model.
        sources: Sentences; at least one.

    Returns:
        At least one row.

    Raises:
        RequestError: All words are the same.
    """
    from nmt_ib.attribution.answers import own_answers
    from nmt_ib.studies.planes.layer_states import answers_anything

    targets = own_answers(model, sources) if answers_anything(model) else None
    with progress("layers x labels", study.counts(model)) as advance:
        found = study.measure(model, sources, targets, advance=advance)
    if not found:
        raise RequestError("the text holds fewer than two words that differ: give more text")
    return found


def table(plane: "TransformerPlane", estimator: str) -> Table:
    """Bits of each layer about each thing by one estimator, what chance gives taken off.

    Args:
        plane: The layers.
        estimator: Which.

    Returns:
        A table for the terminal.
    """
    highest = max(row.ceiling_bits for row in plane if row.estimator == estimator)
    name = f"Bits a word, by {estimator}, which can tell {highest:.1f} at most"
    grid = Table(box=HORIZONTALS, title=name, title_justify="left")
    for head in ("layer", *plane.things):
        grid.add_column(head, justify="left" if head == "layer" else "right", no_wrap=True)
    for layer in plane.layers:
        rows = (plane.about(thing, estimator).get(layer) for thing in plane.things)
        cells = ("-" if row is None else f"{row.beyond_chance_bits:.2f} ± {1.96 * row.error_bits:.2f}" for row in rows)
        grid.add_row(layer, *cells)
    return grid
