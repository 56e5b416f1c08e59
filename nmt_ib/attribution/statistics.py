"""Statistics of embeddings and states over a corpus: the prior of noise, and the scale of differences."""

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.files import write_bytes
from nmt_ib.protocols import EncoderModel

CLOUD = 0.99  # share of the corpus' embeddings inside the cloud
STD_FLOOR = 0.01  # minimum standard deviation, as a share of the median: constant dimensions must not divide by 0


@dataclass(frozen=True)
class LayerStatistics:
    """Mean and standard deviation of each dimension over the pieces of words, without special pieces and padding.

    Attributes:
        mean: Mean.
        std: Standard deviation, at least `STD_FLOOR` of the median over dimensions.
        floored: Number of dimensions that were raised to that minimum.
    """

    mean: Float[Tensor, " D"]
    std: Float[Tensor, " D"]
    floored: int


@dataclass(frozen=True)
class CorpusStatistics:
    """Statistics of a model's embeddings and states over a corpus.

    Attributes:
        model: Fingerprint of the model.
        text: Fingerprint of the sentences.
        parts: "encoder.0" for the embeddings, "encoder.1" and so on for the layers' outputs; for a classifier "pooled"
            and "logits"; for a translation model with translations "decoder.0" for the embeddings of the target
            prefix, "decoder.1" and so on, and "logits" for the log-probability of each token.
        radius: Radius of the cloud: the `CLOUD` quantile of the `distance_from_cloud` of the corpus' own embeddings.
    """

    model: str
    text: str
    parts: dict[str, LayerStatistics]
    radius: float

    def layer(self, layer: int) -> LayerStatistics:
        """Statistics of the embeddings (0), or of the output of an encoder layer."""
        return self.parts[f"encoder.{layer}"]

    def check(self, model: EncoderModel, *parts: str) -> None:
        """Raises RequestError if the statistics are of another model or lack a part.

        Args:
            model: The model that is explained.
            *parts: Keys of `parts` that are needed.

        Raises:
            RequestError: The statistics belong to another model, or a part is missing.
        """
        if self.model != model.fingerprint:
            raise RequestError(f"these statistics belong to another model, not to {model.name}")
        if missing := [part for part in parts if part not in self.parts]:
            raise RequestError(f"these statistics lack {missing[0]}: measure them with translations")

    def save(self, path: Path) -> None:
        """Writes the statistics as numpy arrays, without pickle.

        Args:
            path: The file, `.npz`.
        """
        header = {"model": self.model, "text": self.text, "radius": self.radius}
        header["floored"] = {name: part.floored for name, part in self.parts.items()}
        arrays = {name: torch.stack([part.mean, part.std]).cpu().numpy() for name, part in self.parts.items()}
        data = BytesIO()
        np.savez(data, about=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type] # numpy's own stub
        write_bytes(path, data.getvalue())

    @classmethod
    def load(cls, path: Path, model: EncoderModel) -> "CorpusStatistics":
        """Reads statistics that `save` wrote.

        Args:
            path: The file.
            model: The model that is explained.

        Returns:
            The statistics, on the model's device.

        Raises:
            RequestError: They belong to another model.
        """
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["about"]))
            if header["model"] != model.fingerprint:
                raise RequestError(f"{path} holds statistics of another model, not of {model.name}")
            device = model.pad([model.tokenize_source("a")]).ids.device
            parts = {
                name: LayerStatistics(mean, std, floored)
                for name, floored in header["floored"].items()
                for mean, std in [torch.from_numpy(file[name]).to(device)]
            }
        return cls(header["model"], header["text"], parts, header["radius"])


def distance_from_cloud(embeddings: Float[Tensor, "*B D"], cloud: LayerStatistics) -> Float[Tensor, " *B"]:
    """Squared Mahalanobis distance from the corpus' embeddings, with a diagonal covariance.

    Args:
        embeddings: Embeddings.
        cloud: Mean and standard deviation of the corpus' embeddings.

    Returns:
        >= 0; about D for the corpus' own embeddings.
    """
    return ((embeddings - cloud.mean) / cloud.std).square().sum(-1)
