"""Tiny ELMos with random weights, in the two files that AllenNLP publishes."""

import json
from pathlib import Path

import h5py
import numpy as np

WIDTH, CELL, LAYERS, LONGEST = 6, 10, 3, 12
FILTERS = [[1, 3], [2, 4], [4, 5]]


def write_elmo(folder: Path, *, activation: str = "tanh", seed: int = 0) -> Path:
    """The clips are so small that they are reached."""
    options = {
        "lstm": {
            "dim": CELL, "projection_dim": WIDTH, "n_layers": LAYERS, "cell_clip": 0.8, "proj_clip": 0.7,
            "use_skip_connections": True,
        },
        "char_cnn": {
            "embedding": {"dim": 4}, "filters": FILTERS, "n_highway": 1, "n_characters": 262,
            "max_characters_per_token": LONGEST, "activation": activation,
        },
    }  # fmt: skip
    (folder / "options.json").write_text(json.dumps(options))
    random = np.random.default_rng(seed)
    count = sum(number for _, number in FILTERS)
    shapes = {"char_embed": (261, 4), "CNN_proj/W_proj": (count, WIDTH), "CNN_proj/b_proj": (WIDTH,)}
    for index, (width, number) in enumerate(FILTERS):
        shapes |= {f"CNN/W_cnn_{index}": (1, width, 4, number), f"CNN/b_cnn_{index}": (number,)}
    for part in ("carry", "transform"):
        shapes |= {f"CNN_high_0/W_{part}": (count, count), f"CNN_high_0/b_{part}": (count,)}
    for direction in (0, 1):
        for index in range(LAYERS):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{index}/LSTMCell"
            shapes |= {f"{cell}/W_0": (2 * WIDTH, 4 * CELL), f"{cell}/B": (4 * CELL,), f"{cell}/W_P_0": (CELL, WIDTH)}
    with h5py.File(folder / "weights.hdf5", "w") as file:
        for name, shape in shapes.items():
            file[name] = random.normal(size=shape).astype(np.float32)
    return folder
