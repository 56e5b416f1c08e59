"""Information theory on arrays; knows no language.

Estimators take samples as numpy arrays or torch tensors, one row each, and return an `Estimate` in nats.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmt_ib.info.binning import binned_information, binned_layer
    from nmt_ib.info.clustering import clustered_information
    from nmt_ib.info.discrete import discrete_conditional_entropy, discrete_entropy, discrete_information
    from nmt_ib.info.gaussian import gaussian_information
    from nmt_ib.info.kde import kde_information, kde_layer
    from nmt_ib.info.nearest_neighbours import ksg_information
    from nmt_ib.info.neural import neural_information
    from nmt_ib.info.sample_propagation import mixture_entropy, sp_information

# Estimators and where they live, loaded on first use: counting needs neither scikit-learn nor a network.
_HOMES = {
    "binned_information": "binning",
    "binned_layer": "binning",
    "clustered_information": "clustering",
    "discrete_conditional_entropy": "discrete",
    "discrete_entropy": "discrete",
    "discrete_information": "discrete",
    "gaussian_information": "gaussian",
    "kde_information": "kde",
    "kde_layer": "kde",
    "ksg_information": "nearest_neighbours",
    "mixture_entropy": "sample_propagation",
    "neural_information": "neural",
    "sp_information": "sample_propagation",
}
__all__ = [
    "binned_information",
    "binned_layer",
    "clustered_information",
    "discrete_conditional_entropy",
    "discrete_entropy",
    "discrete_information",
    "gaussian_information",
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
    return getattr(import_module(f"nmt_ib.info.{_HOMES[name]}"), name)
