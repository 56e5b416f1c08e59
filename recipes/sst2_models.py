"""How large and how accurate are the four SST-2 classifiers of Guan et al. (2019)?

Fine-tuned MiniLM, a small Transformer, a BiLSTM and a CNN, as `train_sst2.py` trains them: `untrained`, `save`, `load`.

    python recipes/sst2_models.py sentences-dev.tsv.gz runs/sst2/*
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from nmt_ib import (
    HuggingFaceClassifier,
    ModuleClassifier,
    load_encoder_model,
    own_answers,
    read_labelled,
    word_tokenizer,
)

KINDS = ("minilm", "transformer", "bilstm", "cnn")
LABELS = ("negative", "positive")
WIDTH, DROPOUT = 128, 0.3
WINDOWS = (3, 5)  # odd, so that each word stays in the middle of its window
Classifier = HuggingFaceClassifier | ModuleClassifier


class BiLSTM(nn.Module):
    """One bidirectional layer over packed sentences, so that padding has no effect."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, WIDTH, batch_first=True, bidirectional=True)

    def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        lengths = mask.sum(1).cpu().clamp(min=1)
        packed = nn.utils.rnn.pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
        return nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], True, total_length=mask.shape[1])[0]


class CNN(nn.Module):
    """Windows of several widths around each word (Kim 2014), 0 on padding."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.windows = nn.ModuleList(nn.Conv1d(width, WIDTH, window, padding="same") for window in WINDOWS)

    def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        inside = (states * mask[..., None]).transpose(1, 2)
        return torch.cat([window(inside).relu() for window in self.windows], dim=1).transpose(1, 2)


class WordNetwork(nn.Module):
    """Word embeddings, two layers of one kind, max pooling over the words, and an output layer."""

    def __init__(self, kind: str, words: int) -> None:
        super().__init__()
        layer = {"bilstm": BiLSTM, "cnn": CNN}[kind]
        self.embedding = nn.Embedding(words, WIDTH)
        self.layers = nn.ModuleList([layer(WIDTH), layer(2 * WIDTH)])
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(2 * WIDTH, len(LABELS))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.embedding(ids)
        for layer in self.layers:
            states = layer(self.dropout(states), mask)
        pooled = states.masked_fill(~mask[..., None], -torch.inf).amax(1)
        return self.output(self.dropout(pooled))


def classifier(network: nn.Module, tokenizer: PreTrainedTokenizerFast, name: str) -> Classifier:
    """The network with the interface of the package's classifiers."""
    if isinstance(network, WordNetwork):
        parts = {"embedding": "embedding", "layers": ("layers.0", "layers.1"), "output": "output", "labels": LABELS}
        return ModuleClassifier(network, tokenizer, **parts, name=name, source_language="en")
    return HuggingFaceClassifier(network, tokenizer, name=name, source_language="en")


def untrained(kind: str, sentences: list[str]) -> Classifier:
    """A classifier of a kind; the vocabulary of BiLSTM and CNN is all words that occur at least twice."""
    if kind in {"bilstm", "cnn"}:
        counts = Counter(word for sentence in sentences for word in sentence.split())
        tokenizer = word_tokenizer(sorted(word for word, count in counts.items() if count > 1))
        return classifier(WordNetwork(kind, len(tokenizer)), tokenizer, kind)
    minilm = load_encoder_model("builtin:minilm")
    small = {"hidden_size": WIDTH, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 4 * WIDTH}
    changes = small | {"hidden_dropout_prob": DROPOUT} if kind == "transformer" else {}
    settings = minilm.model.config.to_dict() | changes | {"id2label": dict(enumerate(LABELS))}
    network = BertForSequenceClassification(BertConfig.from_dict(settings))
    if kind == "minilm":
        network.bert.load_state_dict(minilm.model.state_dict())
    return classifier(network, minilm.tokenizer, kind)


def save(model: Classifier, folder: Path) -> None:
    """Writes the classifier in Hugging Face form, or as safetensors with its kind in `module.json`."""
    if isinstance(model, HuggingFaceClassifier):
        model.model.save_pretrained(folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(model.model.state_dict(), folder / "model.safetensors")
        kind = "cnn" if isinstance(model.model.layers[0], CNN) else "bilstm"
        (folder / "module.json").write_text(json.dumps({"kind": kind}) + "\n", encoding="utf-8")
    model.tokenizer.save_pretrained(folder)


def load(folder: Path) -> Classifier:
    """The classifier that `save` wrote."""
    if not (folder / "module.json").exists():
        return load_encoder_model(folder, source_language="en")
    kind, tokenizer = json.loads((folder / "module.json").read_text())["kind"], AutoTokenizer.from_pretrained(folder)
    network = WordNetwork(kind, len(tokenizer))
    network.load_state_dict(load_file(folder / "model.safetensors"))
    return classifier(network, tokenizer, str(folder))


def accuracy(model: Classifier, rows: list[tuple[str, int]]) -> float:
    """Share of the rows whose label is predicted."""
    predicted = own_answers(model, [model.tokenize_source(text) for text, _ in rows], batch_size=64)
    return sum(own == label for own, (_, label) in zip(predicted, rows, strict=True)) / len(rows)


def main() -> None:
    """Prints size and accuracy of each classifier."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labelled", type=Path, help="tab-separated: label, sentence")
    parser.add_argument(
        "folders", type=Path, nargs="*", help="directories of train_sst2.py; default: untrained classifiers"
    )
    parser.add_argument("--smoke", action="store_true", help="8 rows")
    options = parser.parse_args()
    torch.manual_seed(0)
    rows = list(read_labelled(options.labelled))[: 8 if options.smoke else None]
    models = [load(folder) for folder in options.folders]
    print(f"{'':24} {'layers':>6} {'parameters':>11}  accuracy")
    for model in models or [untrained(kind, [text for text, _ in rows]) for kind in KINDS]:
        size = sum(weight.numel() for weight in model.model.parameters())
        print(f"{model.name:24} {model.encoder_layers:6} {size:11,}  {accuracy(model, rows):.4f}")


if __name__ == "__main__":
    main()
