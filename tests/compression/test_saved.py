"""Directories with a damaged parser, or with none; for intact ones see the contract of compressors."""

import json

import pytest
import torch

from nmt_ib.compression.corpus import Labels
from nmt_ib.compression.kinds import TagSettings, WordShape
from nmt_ib.compression.saved import CONFIG, WEIGHTS, ParserConfig, load_parser, save_parser
from nmt_ib.errors import RequestError
from nmt_ib.parsing.biaffine import ParserSettings


@pytest.fixture
def folder(tmp_path):
    config = ParserConfig(
        "builtin:minilm", "first", "0" * 16, (2, 3), WordShape(4, 0, 2), Labels(("root",), ("NOUN", "VERB")),
        TagSettings(dim=3), ParserSettings(2, 1, 2, 2, 0.1),
    )  # fmt: skip
    save_parser(tmp_path, config, config.build())
    return tmp_path


def test_a_parser_is_two_files(folder):
    assert sorted(file.name for file in folder.iterdir()) == [CONFIG, WEIGHTS]
    parser = load_parser(folder)
    config, model = parser.config, parser.model
    assert ParserConfig.from_dict(json.loads((folder / CONFIG).read_text())) == config
    assert not model.training
    assert len(model.mix) == 2


@pytest.mark.parametrize("missing", [CONFIG, WEIGHTS, "everything"])
def test_there_is_none(folder, missing):
    for file in (CONFIG, WEIGHTS) if missing == "everything" else (missing,):
        (folder / file).unlink()
    with pytest.raises(
        RequestError, match="holds no finished parser: expected the --out directory of `nmt-ib compress`"
    ):
        load_parser(folder)
    with pytest.raises(RequestError, match="holds no finished parser"):
        load_parser(folder / "nowhere")


def rewritten(**changes):
    return lambda file: file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        (CONFIG, lambda file: file.write_text("")),
        (CONFIG, lambda file: file.write_text("[]")),
        (CONFIG, lambda file: file.write_text("{}")),
        (CONFIG, lambda file: file.write_bytes(b"\xff\xfe")),
        (CONFIG, rewritten(tags={"kind": "magic"})),
        (CONFIG, rewritten(tags={"kind": "continuous", "colour": 1})),
        (CONFIG, rewritten(words={"width": 5, "type_width": 0, "num_upos": 2})),
        (CONFIG, rewritten(layers=3)),
        (WEIGHTS, lambda file: file.write_bytes(b"")),
        (WEIGHTS, lambda file: file.write_bytes(file.read_bytes()[:-9])),
    ],
    ids=["empty", "list", "bare", "binary", "tags", "unknown", "width", "layers", "no weights", "cut"],
)
def test_it_is_damaged(folder, file, damage):
    damage(folder / file)
    with pytest.raises(RequestError, match=r"damaged|unknown tags") as caught:
        load_parser(folder)
    assert "\n" not in str(caught.value)


def test_loading_draws_nothing(folder):
    state = torch.get_rng_state()
    load_parser(folder)
    assert torch.equal(torch.get_rng_state(), state)
