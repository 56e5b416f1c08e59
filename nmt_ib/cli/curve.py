"""`nmt-ib curve`: the optimal information-bottleneck curve of a table, and layers against it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.terminal import Json, out, present, printable
from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from nmt_ib.results.ib_curve import IBCurve

SHOWN = 12  # points in the table
EXAMPLE = """\b
Example:
  $ cat joint.csv
  0.36,0.03,0.01
  0.04,0.22,0.04
  0.02,0.03,0.25
  $ cat layers.csv
  layer 1,1.40,0.70
  layer 2,0.60,0.35
  $ nmt-ib curve joint.csv --beta 1:20 --layers layers.csv --out run
  I(X;Y) 0.7664 bits; critical betas 1.503, 1.953
   ─────────────────────────────────────────────
    beta   I(X;T) bits   I(T;Y) bits   clusters
   ─────────────────────────────────────────────
       1        0.0000        0.0000          1
    1.31        0.0000        0.0000          1
    1.72        0.4365        0.2745          2
    2.26        1.0421        0.5788          3
    2.97        1.3901        0.7164          3
     3.9        1.5174        0.7547          3
    5.12        1.5591        0.7643          3
    6.73        1.5693        0.7661          3
    8.83        1.5708        0.7663          3
    11.6        1.5709        0.7664          3
    15.2        1.5710        0.7664          3
      20        1.5710        0.7664          3
   ─────────────────────────────────────────────
   ─────────────────────────────────────────────────────────────────────────────
    layer     I(X;T) bits   I(T;Y) bits   beta that fits   bits below the curve
   ─────────────────────────────────────────────────────────────────────────────
    layer 1        1.4000        0.7000             3.02                 0.0196
    layer 2        0.6000        0.3500             1.86                 0.0152
   ─────────────────────────────────────────────────────────────────────────────
  run/curve.png
  run/summary.json
"""


def curve(
    table: Annotated[Path, typer.Argument(help="CSV of joint probabilities: rows x, columns y, no header.")],
    beta: Annotated[str, typer.Option(help="Range of beta, FROM:TO.")] = "0.5:50",
    points: Annotated[int, typer.Option(min=2, help="Number of betas, evenly spaced on a logarithmic scale.")] = 100,
    layers: Annotated[
        Path | None, typer.Option(help="CSV of name,i_x_bits,i_y_bits: representations to compare with the curve.")
    ] = None,
    method: Annotated[Literal["ib", "dib"], typer.Option(help="ib; dib: deterministic, hard clusters.")] = "ib",
    samples: Annotated[
        int | None, typer.Option(min=1, help="Pairs that the table was counted from: adds 95% bounds of the error.")
    ] = None,
    directory: Annotated[Path | None, typer.Option("--out", help="Run directory for the curve and its figure.")] = None,
    as_json: Json = False,
) -> None:
    """Computes the largest I(T;Y) that a representation T of X can reach for its I(X;T)."""
    from nmt_ib.studies.planes.curve import ib_curve

    found = ib_curve(
        table, beta=betas_of(beta), points=points, layers=layers or (), method=method, samples=samples, out=directory
    )
    present(found, show, directory, as_json=as_json)


def betas_of(text: str) -> tuple[float, float]:
    """The ends of a range of betas.

    Args:
        text: As in "0.5:50".

    Returns:
        Both.

    Raises:
        RequestError: It is no such range.
    """
    try:
        low, high = map(float, text.split(":"))
    except ValueError as error:
        raise RequestError(f"--beta {text!r}: expected FROM:TO, as in 0.5:50") from error
    return low, high


def show(found: "IBCurve") -> None:
    """Prints a curve's critical betas, some of its points, and the layers.

    Args:
        found: The curve.
    """
    out.print(f"I(X;Y) {found.i_xy_bits:.4f} bits; critical betas {listed(found.critical_betas)}", soft_wrap=True)
    sampled = found.points[0].i_x_error_bits is not None
    table = Table(box=HORIZONTALS)
    x_heads, y_heads = ((f"{name} bits", *([f"± {name}"] if sampled else [])) for name in ("I(X;T)", "I(T;Y)"))
    for head in ("beta", *x_heads, *y_heads, "clusters"):
        table.add_column(head, justify="right", no_wrap=True)
    last = len(found.points) - 1
    for place in sorted({round(step * last / (SHOWN - 1)) for step in range(SHOWN)}):
        point = found.points[place]
        measured = ((point.i_x_bits, point.i_x_error_bits), (point.i_y_bits, point.i_y_error_bits))
        cells = [(f"{bits:.4f}", *([] if error is None else [f"{error:.2f}"])) for bits, error in measured]
        table.add_row(f"{point.beta:.3g}", *cells[0], *cells[1], str(point.clusters))
    out.print(table)
    if found.layers:
        out.print(layer_table(found))
    for note in found.notes:
        out.print(f"Note: {note}", soft_wrap=True)


def layer_table(found: "IBCurve") -> Table:
    """The layers, each with the beta that fits it."""
    table = Table(box=HORIZONTALS)
    table.add_column("layer")
    for name in ("I(X;T) bits", "I(T;Y) bits", "beta that fits", "bits below the curve"):
        table.add_column(name, justify="right")
    for layer in found.layers:
        bits = (f"{layer.i_x_bits:.4f}", f"{layer.i_y_bits:.4f}")
        fits = "at the end" if layer.beta is None else f"{layer.beta:.3g}"
        table.add_row(printable(layer.name), *bits, fits, f"{round(layer.below_bits, 4) + 0.0:.4f}")
    return table


def listed(betas: tuple[float, ...]) -> str:
    """Critical betas as a line of text."""
    return ", ".join(f"{beta:.4g}" for beta in betas[:SHOWN]) + (", ..." if len(betas) > SHOWN else "") or "none"
