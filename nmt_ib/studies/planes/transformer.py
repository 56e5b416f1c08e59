"""Layers of a transformer in the information plane: information about words, their neighbours and the output."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from nmt_ib.errors import RequestError
from nmt_ib.info.clustering import clustered_information
from nmt_ib.info.discrete import codes, discrete_entropy
from nmt_ib.info.neural import CriticTraining, neural_information
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.transformer_plane import CLUSTERS, INFONCE, LayerKnowledge, TransformerPlane
from nmt_ib.studies.planes.layer_states import LayerStates, answers_anything, gather_states
from nmt_ib.studies.planes.word_labels import UNKNOWN
from nmt_ib.types import Sentence, Target

ESTIMATORS = (CLUSTERS, INFONCE)
CRITIC = CriticTraining(hidden=64, batch_size=256, steps=1500, patience=3)


@dataclass(frozen=True)
class TransformerPlaneStudy:
    """Settings of the measurement of information between layer states and labels.

    Attributes:
        clusters: Number of k-means clusters of the states of a layer.
        values: Number of most frequent values of a label that are used; rare ones are left out, as counting them is
            biased.
        tokens: Maximum number of states, from the start of the text.
        seed: Seed of the clusters and of the critic.
        estimators: "clusters", which depends on the directions of largest variance, and "infonce", whose critic is
            trained on the label.
    """

    clusters: int = 100
    values: int = 300
    tokens: int = 50_000
    seed: int = 0
    estimators: tuple[str, ...] = (CLUSTERS,)

    def __post_init__(self) -> None:
        for unknown in set(self.estimators) - set(ESTIMATORS):
            raise RequestError(f"unknown estimator {unknown!r}; known for layers of a model: {', '.join(ESTIMATORS)}")

    def counts(self, model: EncoderModel) -> int:
        """Number of times that `measure` advances if parts of speech and targets are given."""
        decoder = getattr(model, "decoder_layers", 0)
        return (model.encoder_layers + 1) * (4 + answers_anything(model)) + 2 * decoder

    def measure(
        self,
        model: EncoderModel,
        sources: Sequence[Sentence],
        targets: Sequence[Target] | None = None,
        *,
        batch_size: int = 32,
        advance: Callable[[int], object] = lambda _: None,
    ) -> TransformerPlane:
        """Information of each layer about each label; see `gather_states` for the states and labels.

        Args:
            model: An encoder, a classifier or a translation model.
            sources: Tokenised sentences.
            targets: Translations for a translation model, labels for a classifier.
            batch_size: Sentences that go through the model at once; does not affect results beyond rounding.
            advance: Called with 1 for each layer and label that has been measured.

        Returns:
            A row for each layer, label and estimator.
        """
        parts = gather_states(model, sources, targets, tokens=self.tokens, batch_size=batch_size)
        return self.measure_states(parts, advance=advance)

    def measure_states(
        self, parts: Sequence[LayerStates], *, advance: Callable[[int], object] = lambda _: None
    ) -> TransformerPlane:
        """Information of gathered states about their labels.

        Args:
            parts: States of the encoder and of the decoder.
            advance: Called with 1 for each layer and label that has been measured.

        Returns:
            A row for each layer, label and estimator.
        """
        rows = []
        for part in parts:
            for layer, states in part.layers():
                for about, labels in part.labels.items():
                    rows += self.knowledge(layer, about, states, np.array(labels))
                    advance(1)
        return TransformerPlane(tuple(rows))

    def knowledge(
        self, layer: str, about: str, states: Float[np.ndarray, "N D"], labels: np.ndarray
    ) -> list[LayerKnowledge]:
        """Information of states about their labels.

        Args:
            layer: Name of the states.
            about: Name of the labels.
            states: One state in each row.
            labels: The label of each state; "" if it has none.

        Returns:
            A row for each estimator; empty if the labels have fewer than two values.

        Raises:
            RequestError: There are too few states.
        """
        common = [value for value, _ in Counter(labels[labels != UNKNOWN].tolist()).most_common(self.values)]
        counted = np.isin(labels, common)
        if len(common) < 2:
            return []
        if counted.sum() < 2 * self.clusters:
            raise RequestError(f"{counted.sum():,} states are too few for {self.clusters} clusters: give more text")
        entropy = discrete_entropy(labels[counted]).bits
        return [
            LayerKnowledge(
                layer,
                about,
                estimator,
                *self._bits(estimator, states[counted], labels[counted]),
                entropy_bits=entropy,
                samples=int(counted.sum()),
            )
            for estimator in self.estimators
        ]

    def _bits(
        self, estimator: str, states: Float[np.ndarray, "N D"], labels: np.ndarray
    ) -> tuple[float, float, float, float]:
        """Bits, standard error, remaining bias, and maximum of the estimator."""
        if estimator == CLUSTERS:
            found = clustered_information(states, labels, self.clusters, self.seed)
            nats = found.nats, found.error, found.settings["shuffled_nats"], math.log(self.clusters)
        else:
            one_hot = np.eye(len(np.unique(labels)), dtype=np.float32)[codes(labels)]
            found = neural_information(states, one_hot, "infonce", replace(CRITIC, seed=self.seed))
            nats = found.nats, found.error, 0.0, found.settings["ceiling_nats"]
        bits, error, chance, ceiling = (BITS_PER_NAT * value for value in nats)
        return bits, error, chance, ceiling
