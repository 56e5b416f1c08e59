"""What `nmt-ib plane --model` prints: a table for each estimator."""

from typing import TYPE_CHECKING

from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.terminal import out

if TYPE_CHECKING:
    from nmt_ib.results.transformer_plane import TransformerPlane


def show(plane: "TransformerPlane") -> None:
    """Prints a table for each estimator.

    Args:
        plane: The layers.
    """
    for estimator in plane.estimators:
        out.print(table(plane, estimator))


def table(plane: "TransformerPlane", estimator: str) -> Table:
    """Chance-corrected bits of each layer about each label, by one estimator.

    Args:
        plane: The layers.
        estimator: Which.

    Returns:
        A table for the terminal.
    """
    highest = max(row.ceiling_bits for row in plane if row.estimator == estimator)
    name = f"Bits a word by {estimator}, chance-corrected (maximum {highest:.1f})"
    grid = Table(box=HORIZONTALS, title=name, title_justify="left")
    for head in ("layer", *plane.things):
        grid.add_column(head, justify="left" if head == "layer" else "right", no_wrap=True)
    for layer in plane.layers:
        rows = (plane.about(thing, estimator).get(layer) for thing in plane.things)
        cells = ("-" if row is None else f"{row.beyond_chance_bits:.2f} ± {1.96 * row.error_bits:.2f}" for row in rows)
        grid.add_row(layer, *cells)
    return grid
