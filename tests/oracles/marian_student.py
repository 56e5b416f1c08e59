"""A marian-nmt student, slowly: NumPy in float64, one sentence, one position at a time, from the names in its file."""

import math

import numpy as np


def logits(tensors: dict[str, np.ndarray], config: dict, source: list[int], target: list[int]) -> np.ndarray:
    """Scores (T, V) of each piece at each position of `target`, which ends in `</s>`."""
    student = _Student({name: value.astype(np.float64) for name, value in tensors.items()}, config)
    states = student.encode(source)
    return student.decode(states, target) @ student.weights["Wemb"].T + student.weights["decoder_ff_logit_out_b"]


def position(place: int, width: int) -> np.ndarray:
    """Sines, then cosines; the exponent divides by width / 2 - 1."""
    angles = [place * math.exp(-i * math.log(10_000) / (width // 2 - 1)) for i in range(width // 2)]
    return np.array([math.sin(angle) for angle in angles] + [math.cos(angle) for angle in angles])


def ssru(inputs: np.ndarray, cell: np.ndarray, forget: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """c_t = f_t * c_{t-1} + (1 - f_t) * x_t W, the output is max(c_t, 0); matrices are (in, out)."""
    memory, outputs = np.zeros(cell.shape[1]), []
    for x in inputs:
        gate = 1 / (1 + np.exp(-(x @ forget + bias)))
        memory = gate * memory + (1 - gate) * (x @ cell)
        outputs.append(np.maximum(memory, 0))
    return np.stack(outputs)


class _Student:
    def __init__(self, weights: dict[str, np.ndarray], config: dict) -> None:
        self.weights, self.config = weights, config
        self.width = weights["Wemb"].shape[1]

    def encode(self, source: list[int]) -> np.ndarray:
        rows = [self.weights["Wemb"][piece] * math.sqrt(self.width) for piece in source]
        x = np.stack([row + position(place, self.width) for place, row in enumerate(rows)])
        for layer in range(1, self.config["enc-depth"] + 1):
            name = f"encoder_l{layer}"
            x = self.norm(x + self.attention(x, x, f"{name}_self"), f"{name}_self_Wo_ln")
            x = self.norm(x + self.feed_forward(x, name), f"{name}_ffn_ffn_ln")
        return x

    def decode(self, states: np.ndarray, target: list[int]) -> np.ndarray:
        rows = [np.zeros(self.width), *(self.weights["Wemb"][piece] * math.sqrt(self.width) for piece in target[:-1])]
        x = np.stack([row + position(place, self.width) for place, row in enumerate(rows)])
        for layer in range(1, self.config["dec-depth"] + 1):
            name = f"decoder_l{layer}"
            if self.config["transformer-decoder-autoreg"] == "rnn":
                unit = [self.weights[f"{name}_rnn_{item}"] for item in ("W", "Wf", "bf")]
                x = self.norm(x + ssru(x, *unit[:2], unit[2][0]), f"{name}_rnn_ffn_ln")
            else:
                x = self.norm(x + self.attention(x, x, f"{name}_self", causal=True), f"{name}_self_Wo_ln")
            x = self.norm(x + self.attention(x, states, f"{name}_context"), f"{name}_context_Wo_ln")
            x = self.norm(x + self.feed_forward(x, name), f"{name}_ffn_ffn_ln")
        return x

    def linear(self, x: np.ndarray, weight: str, bias: str) -> np.ndarray:
        return x @ self.weights[weight] + self.weights[bias]

    def attention(self, x: np.ndarray, memory: np.ndarray, name: str, causal: bool = False) -> np.ndarray:
        queries = self.linear(x, f"{name}_Wq", f"{name}_bq")
        keys, values = (self.linear(memory, f"{name}_W{letter}", f"{name}_b{letter}") for letter in "kv")
        size = self.width // self.config["transformer-heads"]
        heads = []
        for start in range(0, self.width, size):
            part = slice(start, start + size)
            scores = queries[:, part] @ keys[:, part].T / math.sqrt(size)
            if causal:
                scores[np.triu_indices(len(scores), 1)] = -np.inf
            weights = np.exp(scores - scores.max(1, keepdims=True))
            heads.append(weights / weights.sum(1, keepdims=True) @ values[:, part])
        return self.linear(np.concatenate(heads, axis=1), f"{name}_Wo", f"{name}_bo")

    def feed_forward(self, x: np.ndarray, name: str) -> np.ndarray:
        hidden = self.linear(x, f"{name}_ffn_W1", f"{name}_ffn_b1")
        if self.config["transformer-ffn-activation"] == "relu":
            hidden = np.maximum(hidden, 0)
        else:
            hidden = hidden / (1 + np.exp(-hidden))
        return self.linear(hidden, f"{name}_ffn_W2", f"{name}_ffn_b2")

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-9)
        return scaled * self.weights[f"{name}_scale"] + self.weights[f"{name}_bias"]
