"""The optimal information-bottleneck curve of a table, and layers compared with it: the public question."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nmt_ib.data.tables import read_named_points, read_numbers
from nmt_ib.errors import RequestError
from nmt_ib.info.ib_limit import beta_grid
from nmt_ib.info.ib_limit import ib_curve as optimal_curve
from nmt_ib.requests import check_count
from nmt_ib.results.ib_curve import IBCurve
from nmt_ib.runs.directory import Run, open_run
from nmt_ib.runs.loading import write_report
from nmt_ib.signature import RunSignature, fingerprint_lines

Layer = tuple[str, float, float]


def ib_curve(
    table: str | Path | Float[np.ndarray, "R C"],
    *,
    beta: tuple[float, float] = (0.5, 50.0),
    points: int = 100,
    layers: str | Path | Sequence[Layer] = (),
    method: str = "ib",
    samples: int | None = None,
    out: str | Path | None = None,
) -> IBCurve:
    """The largest I(T;Y) that any representation T of X can reach for its I(X;T).

    Args:
        table: Joint probabilities p(x, y) with x as rows and y as columns, or a CSV file of them without a header.
        beta: Range of the Lagrange multiplier beta.
        points: Number of betas, evenly spaced on a logarithmic scale, at least 2.
        layers: Representations to compare with the curve: name, I(X;T) and I(T;Y) in bits of each, or a CSV file.
        method: "ib", or "dib" for the deterministic bottleneck with hard clusters.
        samples: Number of pairs that the table was counted from, which adds 95 % bounds of the error; None: exact.
        out: Run directory for the curve and its figure.

    Returns:
        The curve.

    Raises:
        RequestError: A file cannot be read, the table holds no probabilities, a setting is out of range, or the
            directory holds something else.

    References:
        Tishby, Pereira and Bialek (1999), The information bottleneck method.
    """
    check_count("points", points, 2)
    named = read_named_points(layers) if isinstance(layers, (str, Path)) else list(layers)
    numbers = read_numbers(table) if isinstance(table, (str, Path)) else np.asarray(table, dtype=np.float64)
    if numbers.ndim != 2:
        raise RequestError(f"the table has {numbers.ndim} axes, expected 2: x as rows and y as columns")
    if out is not None:
        Run(out).check()
    data = {"table": fingerprint_lines(map(str, numbers.tolist())), "layers": fingerprint_lines(map(str, named))}
    settings = {"betas": [*beta, points], "method": method, "samples": samples}
    signature = RunSignature("curve", "", "", data, settings, 0)
    found = optimal_curve(numbers, beta_grid(*beta, points), method=method, samples=samples).against(named)
    found = replace(found, signature=signature.to_dict())
    with open_run(out, signature) as run:
        run.finish(found)
        if out is not None:
            write_report(run.path, found)
    return found
