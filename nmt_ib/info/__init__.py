"""Information theory on arrays, independent of models and text.

Estimators take samples as numpy arrays or torch tensors, one row each, and return an `Estimate` in nats.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmt_ib.info.binning import (
        EqualCounts,
        FixedEdges,
        FixedWidth,
        LayerBounds,
        binned_information,
        binned_layer,
    )
    from nmt_ib.info.clustering import clustered_information
    from nmt_ib.info.discrete import codes, discrete_conditional_entropy, discrete_entropy, discrete_information
    from nmt_ib.info.gaussian import gaussian_information
    from nmt_ib.info.gaussian_bottleneck import gaussian_ib_curve
    from nmt_ib.info.ib_limit import beta_grid, ib_curve
    from nmt_ib.info.kde import kde_information, kde_layer
    from nmt_ib.info.nearest_neighbours import ksg_information
    from nmt_ib.info.neural import CriticTraining, neural_information
    from nmt_ib.info.sample_propagation import mixture_entropy, sp_information
    from nmt_ib.info.tasks import TASKS, Task
    from nmt_ib.numerics import BITS_PER_NAT
    from nmt_ib.results.estimate import Estimate, LayerInformation

# Public names and their modules, loaded on first use: counting needs neither scikit-learn nor a network.
_HOMES = {
    "BITS_PER_NAT": "numerics",
    "CriticTraining": "info.neural",
    "EqualCounts": "info.binning",
    "Estimate": "results.estimate",
    "FixedEdges": "info.binning",
    "FixedWidth": "info.binning",
    "LayerBounds": "info.binning",
    "LayerInformation": "results.estimate",
    "TASKS": "info.tasks",
    "Task": "info.tasks",
    "beta_grid": "info.ib_limit",
    "binned_information": "info.binning",
    "binned_layer": "info.binning",
    "clustered_information": "info.clustering",
    "codes": "info.discrete",
    "discrete_conditional_entropy": "info.discrete",
    "discrete_entropy": "info.discrete",
    "discrete_information": "info.discrete",
    "gaussian_ib_curve": "info.gaussian_bottleneck",
    "gaussian_information": "info.gaussian",
    "ib_curve": "info.ib_limit",
    "kde_information": "info.kde",
    "kde_layer": "info.kde",
    "ksg_information": "info.nearest_neighbours",
    "mixture_entropy": "info.sample_propagation",
    "neural_information": "info.neural",
    "sp_information": "info.sample_propagation",
}
__all__ = [
    "BITS_PER_NAT",
    "TASKS",
    "CriticTraining",
    "EqualCounts",
    "Estimate",
    "FixedEdges",
    "FixedWidth",
    "LayerBounds",
    "LayerInformation",
    "Task",
    "beta_grid",
    "binned_information",
    "binned_layer",
    "clustered_information",
    "codes",
    "discrete_conditional_entropy",
    "discrete_entropy",
    "discrete_information",
    "gaussian_ib_curve",
    "gaussian_information",
    "ib_curve",
    "kde_information",
    "kde_layer",
    "ksg_information",
    "mixture_entropy",
    "neural_information",
    "sp_information",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nmt_ib.info' has no attribute {name!r}")
    return getattr(import_module(f"nmt_ib.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
