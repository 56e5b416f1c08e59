"""ELMo for one sentence in numpy, one word and one direction at a time, read from the two files by name.

Peters et al. 2018, section 3, with the gates in the order in which the published weights have them: input, candidate,
forget, output.
"""

import json
from pathlib import Path

import h5py
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class SlowElmo:
    def __init__(self, folder: Path) -> None:
        self.options = json.loads((folder / "options.json").read_text())
        self.weights = {}
        with h5py.File(folder / "weights.hdf5") as file:
            file.visititems(lambda name, found: self.weights.update({name: found[()].astype(np.float64)})
                            if isinstance(found, h5py.Dataset) else None)  # fmt: skip

    def token(self, characters: list[int]) -> np.ndarray:
        options = self.options["char_cnn"]
        longest = options["max_characters_per_token"]
        ids = [258, *characters[: longest - 2], 259]
        embedded = self.weights["char_embed"][ids + [260] * (longest - len(ids))]
        found = []
        for index, (width, _) in enumerate(options["filters"]):
            kernel, bias = self.weights[f"CNN/W_cnn_{index}"][0], self.weights[f"CNN/b_cnn_{index}"]
            windows = [
                np.einsum("wd,wdc->c", embedded[start : start + width], kernel) + bias
                for start in range(longest - width + 1)
            ]
            best = np.max(windows, axis=0)
            found.append(np.maximum(best, 0) if options["activation"] == "relu" else np.tanh(best))
        state = np.concatenate(found)
        for index in range(options["n_highway"]):
            part = {name: self.weights[f"CNN_high_{index}/{name}"] for name in
                    ("W_carry", "b_carry", "W_transform", "b_transform")}  # fmt: skip
            carry = sigmoid(state @ part["W_carry"] + part["b_carry"])
            state = carry * np.maximum(state @ part["W_transform"] + part["b_transform"], 0) + (1 - carry) * state
        return state @ self.weights["CNN_proj/W_proj"] + self.weights["CNN_proj/b_proj"]

    def direction(self, number: int, tokens: list[np.ndarray]) -> list[list[np.ndarray]]:
        """Outputs of each layer, in the order in which the words are read."""
        options = self.options["lstm"]
        layers, read = [], tokens
        for index in range(options["n_layers"]):
            cell = f"RNN_{number}/RNN/MultiRNNCell/Cell{index}/LSTMCell"
            kernel, bias, projection = (self.weights[f"{cell}/{name}"] for name in ("W_0", "B", "W_P_0"))
            memory, output, written = np.zeros(options["dim"]), np.zeros(options["projection_dim"]), []
            for vector in read:
                gates = np.concatenate([vector, output]) @ kernel + bias
                enter, candidate, keep, leave = np.split(gates, 4)
                memory = sigmoid(keep + 1) * memory + sigmoid(enter) * np.tanh(candidate)
                memory = np.clip(memory, -options["cell_clip"], options["cell_clip"])
                output = np.clip(
                    (sigmoid(leave) * np.tanh(memory)) @ projection, -options["proj_clip"], options["proj_clip"]
                )
                written.append(output + vector if index else output)
            layers.append(written)
            read = written
        return layers

    def vectors(self, words: list[str]) -> np.ndarray:
        """[L, W, D]: the token layer, twice, and each layer of the language model."""
        tokens = [self.token(list(word.encode())) for word in words]
        around = [self.token([256]), *tokens, self.token([257])]
        forward, backward = self.direction(0, around), self.direction(1, around[::-1])
        layers = [np.concatenate([tokens, tokens], axis=1)]
        for ahead, behind in zip(forward, backward, strict=True):
            layers.append(np.concatenate([ahead, behind[::-1]], axis=1)[1:-1])
        return np.stack(layers)
