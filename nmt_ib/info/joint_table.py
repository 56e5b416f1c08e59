"""A joint distribution of two discrete variables, reduced to what the information bottleneck depends on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import entr

from nmt_ib.errors import RequestError

SUM_TOLERANCE = 1e-6
DECIMALS = 12  # rows of p(y|x) that agree to so many decimals are merged
EPS = 1e-12


@dataclass(frozen=True)
class JointTable:
    """p(x, y) with one row for each different p(y|x).

    An optimal encoder does not distinguish x with the same p(y|x), as that raises I(X;T) but not I(T;Y). Values of
    probability 0 are left out.

    Attributes:
        p_x: Probability of each row, positive.
        p_y_given_x: One distribution for each row.
        row_of: Row of each x of the original table; -1 if its probability is 0.
    """

    p_x: Float[np.ndarray, " X"]
    p_y_given_x: Float[np.ndarray, "X Y"]
    row_of: Int[np.ndarray, " R"]

    @classmethod
    def of(cls, table: Float[np.ndarray, "R C"]) -> "JointTable":
        """The reduced distribution of a table of joint probabilities.

        Args:
            table: p(x, y) with x as rows and y as columns; see `checked_table`.

        Returns:
            The distribution.
        """
        table = checked_table(table)
        occurs = table.sum(1) > 0
        p_x = table[occurs].sum(1)
        p_y_given_x = table[occurs][:, table.sum(0) > 0] / p_x[:, None]
        first, row_of = np.unique(p_y_given_x.round(DECIMALS), axis=0, return_index=True, return_inverse=True)[1:]
        order = first.argsort().argsort()  # rows in the order of the table
        rows = order[row_of.reshape(-1)]
        row_of_x = np.full(len(table), -1)
        row_of_x[occurs] = rows
        return cls(np.bincount(rows, weights=p_x), p_y_given_x[np.sort(first)], row_of_x)

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
        """Entropy of the rows, which are the minimal sufficient statistic of x for y."""
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
        return float(self.p_x @ _entropies(self.p_y_given_x)) < EPS


def checked_table(table: Float[np.ndarray, "R C"]) -> Float[np.ndarray, "R C"]:
    """A table of joint probabilities, normalised to machine precision.

    Args:
        table: p(x, y) with x as rows and y as columns.

    Returns:
        The normalised table.

    Raises:
        RequestError: It has a single row or column, a cell is not a probability, or the sum is not 1.
    """
    if min(table.shape) < 2:
        rows, columns = table.shape
        raise RequestError(f"a table of {rows} x {columns}: expected at least 2 rows (x) and 2 columns (y)")
    for wrong in (~np.isfinite(table), table < 0):
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            cell = f"row {row + 1}, column {column + 1} is {table[row, column]:g}"
            raise RequestError(f"{cell}: expected a probability, 0 or more")
    if abs(table.sum() - 1) > SUM_TOLERANCE:
        raise RequestError(
            f"the cells sum to {table.sum():.8g}: expected joint probabilities with a sum of 1 "
            f"(within {SUM_TOLERANCE:g}); divide counts by their sum"
        )
    return table / table.sum()


def entropy_nats(p: Float[np.ndarray, " K"]) -> float:
    """Entropy of a distribution in nats."""
    return float(_entropies(p[None])[0])


def _entropies(p: Float[np.ndarray, "N K"]) -> Float[np.ndarray, " N"]:
    return entr(p).sum(1)


def channel_nats(p_y_given_x: Float[np.ndarray, "X Y"]) -> float:
    """I(X;Y) for uniform p(x).

    Args:
        p_y_given_x: One distribution for each x.

    Returns:
        Nats, >= 0 up to rounding.
    """
    return entropy_nats(p_y_given_x.mean(0)) - float(_entropies(p_y_given_x).mean())


def first_critical_beta(p_x: Float[np.ndarray, " X"], p_y_given_x: Float[np.ndarray, "X Y"]) -> float:
    r"""The beta above which the trivial encoder, I(X;T) = 0, is unstable: :math:`1 / \rho_{max}^2`.

    :math:`\rho_{max}`, the maximal correlation, is the second singular value of
    :math:`p(x, y) / \sqrt{p(x) p(y)}`.

    Args:
        p_x: Distribution of x; rows of probability 0 are ignored.
        p_y_given_x: One distribution for each row.

    Returns:
        At least 1; infinity if x and y are independent.

    References:
        Wu, Fischer, Chuang & Tegmark (2019), Learnability for the information bottleneck.
    """
    p_y = p_x @ p_y_given_x
    scaled = np.sqrt(p_x)[:, None] * p_y_given_x / np.sqrt(np.where(p_y > 0, p_y, 1.0))
    correlation = np.append(np.linalg.svd(scaled, compute_uv=False), 0.0)[1]
    return float(max(1.0, correlation**-2)) if correlation**2 > EPS else float("inf")
