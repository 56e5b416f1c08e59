"""Networks at one moment of their training, as estimators see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor

from nmt_ib.info.binning import Bins, FixedEdges
from nmt_ib.networks.batched import BatchedNetworks
from nmt_ib.networks.tasks import PlaneTask
from nmt_ib.seeding import sentence_generator


@dataclass(frozen=True)
class EstimatorSettings:
    """Settings of the estimators.

    Attributes:
        bins: How the activations of a unit are binned.
        noise_variance: Variance of the Gaussian noise that is added to the states for the analysis only, if the
            networks have no noise of their own.
    """

    bins: Bins = FixedEdges()  # noqa: RUF009 - frozen
    noise_variance: float = 1e-3


@dataclass(frozen=True)
class NetworkSnapshot:
    """Networks at one moment of their training.

    Attributes:
        networks: The networks.
        task: Their examples.
        settings: Settings of the estimators.
        seeds: Seed of each network.
        epoch: Number of training epochs so far.
    """

    networks: BatchedNetworks
    task: PlaneTask
    settings: EstimatorSettings
    seeds: Sequence[int]
    epoch: int

    @cached_property
    def layers(self) -> tuple[list[Float[Tensor, "R _ S"]], list[Float[Tensor, "R _ S"]]]:
        """States of all layers for the measured inputs, before and after the networks' own noise is added."""
        inputs = self.task.measured_inputs
        return self.networks.forward(inputs, self.noise(inputs.shape[1], "states"))

    def noise(self, examples: int, purpose: str) -> list[Float[Tensor, "R _ N"]] | None:
        """Noise for the networks, drawn without advancing the generators of their training.

        Args:
            examples: Number of examples.
            purpose: Name of the use; each gets its own noise.

        Returns:
            See `BatchedNetworks.draw_noise`.
        """
        generators = [sentence_generator(seed, f"{purpose} {self.epoch}") for seed in self.seeds]
        return self.networks.draw_noise(examples, generators)
