"""A joint distribution of two discrete variables, as the information bottleneck sees it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import entr

from nmt_ib.errors import RequestError

SUM_TOLERANCE = 1e-6
SAME = 12  # decimals to which two rows of p(y|x) agree that count as one
EXACT = 1e-12  # nats


@dataclass(frozen=True)
class JointTable:
    """p(x, y) with one row for each different p(y|x).

    Rows with one p(y|x) are one value to every bottleneck: an encoder that tells them apart pays for it and learns
    nothing of y. Values that never occur are left out.

    Attributes:
        p_x: Probability of each row, above 0.
        p_y_given_x: One distribution a row.
        row_of: Row of each x of the table as given; -1: it never occurs.
    """

    p_x: Float[np.ndarray, " X"]
    p_y_given_x: Float[np.ndarray, "X Y"]
    row_of: Int[np.ndarray, " R"]

    @classmethod
    def of(cls, table: Float[np.ndarray, "R C"]) -> "JointTable":
        """The distribution of a table of joint probabilities.

        Args:
            table: Rows x, columns y; see `checked_table`.

        Returns:
            Its distribution.
        """
        table = checked_table(table)
        kept = table.sum(1) > 0
        p_x = table[kept].sum(1)
        p_y_given_x = table[kept][:, table.sum(0) > 0] / p_x[:, None]
        first, row_of = np.unique(p_y_given_x.round(SAME), axis=0, return_index=True, return_inverse=True)[1:]
        order = first.argsort().argsort()  # rows in the order of the table
        rows = order[row_of.reshape(-1)]
        places = np.full(len(table), -1)
        places[kept] = rows
        return cls(np.bincount(rows, weights=p_x), p_y_given_x[np.sort(first)], places)

    @property
    def joint(self) -> Float[np.ndarray, "X Y"]:
        """p(x, y)."""
        return self.p_x[:, None] * self.p_y_given_x

    @property
    def p_y(self) -> Float[np.ndarray, " Y"]:
        """Probability of each y that occurs."""
        return self.p_x @ self.p_y_given_x

    @property
    def h_x_nats(self) -> float:
        """Entropy of the rows: what it costs to know all that x tells of y, the minimal sufficient statistic."""
        return entropy_nats(self.p_x)

    @property
    def h_y_nats(self) -> float:
        """Entropy of y."""
        return entropy_nats(self.p_y)

    @property
    def i_xy_nats(self) -> float:
        """Mutual information of x and y."""
        return max(0.0, self.h_y_nats - float(self.p_x @ _entropies(self.p_y_given_x)))

    @property
    def deterministic(self) -> bool:
        """Whether y is a function of x."""
        return float(self.p_x @ _entropies(self.p_y_given_x)) < EXACT


def checked_table(table: Float[np.ndarray, "R C"]) -> Float[np.ndarray, "R C"]:
    """A table of joint probabilities, divided by its sum.

    Args:
        table: Rows x, columns y.

    Returns:
        The same, with a sum of 1 to machine precision.

    Raises:
        RequestError: It has one row or column, a cell that is no probability, or another sum than 1.
    """
    if min(table.shape) < 2:
        rows, columns = table.shape
        raise RequestError(f"a table of {rows} x {columns}: expected at least 2 rows (x) and 2 columns (y)")
    for wrong in (~np.isfinite(table), table < 0):
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            found = f"row {row + 1}, column {column + 1} is {table[row, column]:g}"
            raise RequestError(f"{found}: expected a probability, 0 or more")
    if abs(table.sum() - 1) > SUM_TOLERANCE:
        raise RequestError(
            f"the cells sum to {table.sum():.8g}: expected joint probabilities with a sum of 1 "
            f"(within {SUM_TOLERANCE:g}); divide counts by their sum"
        )
    return table / table.sum()


def entropy_nats(p: Float[np.ndarray, " K"]) -> float:
    """Entropy of a distribution in nats, with 0 log 0 = 0."""
    return float(_entropies(p[None])[0])


def _entropies(p: Float[np.ndarray, "N K"]) -> Float[np.ndarray, " N"]:
    return entr(p).sum(1)


def first_critical_beta(p_x: Float[np.ndarray, " X"], p_y_given_x: Float[np.ndarray, "X Y"]) -> float:
    r"""The beta from which a bottleneck of x can hold anything of y, :math:`1 / \rho_{max}^2`.

    :math:`\rho_{max}`, the maximal correlation, is the second singular value of
    :math:`p(x, y) / \sqrt{p(x) p(y)}`.

    Args:
        p_x: Distribution of x; rows of probability 0 are not looked at.
        p_y_given_x: One distribution a row.

    Returns:
        At least 1; infinity where x tells nothing of y.

    References:
        Wu, Fischer, Chuang & Tegmark (2019), Learnability for the information bottleneck.
    """
    p_y = p_x @ p_y_given_x
    scaled = np.sqrt(p_x)[:, None] * p_y_given_x / np.sqrt(np.where(p_y > 0, p_y, 1.0))
    correlation = np.append(np.linalg.svd(scaled, compute_uv=False), 0.0)[1]
    return float(max(1.0, correlation**-2)) if correlation**2 > EXACT else float("inf")
