"""ELMo against the outputs of the original TensorFlow implementation, and against a slow twin."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence
from torch.testing import assert_close

from nmt_ib.models.elmo import SENTENCE_END, SENTENCE_START, character_ids
from nmt_ib.models.elmo_files import read_elmo
from nmt_ib.models.embedders import ElmoEmbedder

h5py = pytest.importorskip("h5py", reason="needs h5py: pip install 'nmt_ib[elmo]'")
from tests.oracles.elmo import SlowElmo  # noqa: E402
from tests.tiny_elmo import LONGEST, write_elmo  # noqa: E402

GOLD = Path(__file__).parents[3] / "shared" / "data" / "allennlp-elmo-fixtures"
needs_gold = pytest.mark.skipif(not GOLD.is_dir(), reason="needs allennlp-elmo-fixtures in ../shared/data")
START, END = (SENTENCE_START,), (SENTENCE_END,)
SENTENCES = (["The", "naïve", "dog"], ["no"], "an extraordinarily long word , of course".split(), [])


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture
def folder(tmp_path):
    return write_elmo(tmp_path)


def in_double(folder):
    return ElmoEmbedder(read_elmo(folder).double(), name="tiny")


def test_characters_are_bytes_between_the_starts_and_ends_of_words():
    ids = character_ids([b"a\xc3\xa9", START, END, b"abcdefg"], 7)
    assert ids.tolist() == [
        [258, 97, 0xC3, 0xA9, 259, 260, 260],
        [258, 256, 259, 260, 260, 260, 260],
        [258, 257, 259, 260, 260, 260, 260],
        [258, *b"abcde", 259],
    ]


@needs_gold
def test_activations_are_those_of_the_original():
    """lm_embeddings_*.hdf5 of AllenNLP's fixtures: batches of three, the state carried from each to the next."""
    model = read_elmo(GOLD)
    lists = [[text.split() for text in texts] for texts in json.loads((GOLD / "sentences.json").read_text())]
    gold = [h5py.File(GOLD / f"lm_embeddings_{index}.hdf5") for index in range(len(lists))]
    carried, compared = None, 0
    for number, batch in enumerate(zip(*lists, strict=True)):
        read = [[START, *(word.encode() for word in words), END] for words in batch]
        tokens = pad_sequence([model.characters(character_ids(row, 50)) for row in read], batch_first=True)
        mask = pad_sequence([torch.ones(len(row), dtype=torch.bool) for row in read], batch_first=True)
        states, carried = model(tokens, mask, carried)
        for row, (words, file) in enumerate(zip(batch, gold, strict=True)):
            theirs = torch.from_numpy(np.concatenate([*file[str(number)][:]], axis=1))
            assert_close(states[2][row, 1 : 1 + len(words)], theirs, rtol=0, atol=1e-6)
            compared += 1
    assert compared == 30


@needs_gold
def test_token_vectors_are_those_of_the_original():
    """elmo_token_embeddings.hdf5 of AllenNLP's fixtures; its vocabulary names the ends of a sentence."""
    model = read_elmo(GOLD)
    words = (GOLD / "vocab_test.txt").read_text().split("\n")
    ends = {"<S>": START, "</S>": END}
    ids = character_ids([ends.get(word, word.encode()) for word in words], 50)
    with h5py.File(GOLD / "elmo_token_embeddings.hdf5") as file:
        gold = torch.from_numpy(file["embedding"][:])
    assert len(words) == 458
    assert_close(model.characters(ids), gold, rtol=0, atol=1e-6)
    embedder = ElmoEmbedder(model, name="gold")
    plain = [row for row, word in enumerate(words) if word not in ends]
    types = embedder.types([words[row] for row in plain])
    assert_close(types, torch.cat([gold, gold], 1)[plain], rtol=0, atol=1e-6)


@needs_gold
def test_the_first_batch_alone_is_gold_also_in_a_batch_of_all():
    """No state is carried by an embedder: of each list the first sentence is gold, whatever stands beside it."""
    lists = [[text.split() for text in texts] for texts in json.loads((GOLD / "sentences.json").read_text())]
    found = ElmoEmbedder(read_elmo(GOLD), name="gold").vectors([words for texts in lists for words in texts], [2])
    for index in range(3):
        with h5py.File(GOLD / f"lm_embeddings_{index}.hdf5") as file:
            theirs = torch.from_numpy(np.concatenate([*file["0"][:]], axis=1))
        # Eight ulps of float32 on top: processors order the sums differently (seen: five, 1.2e-6 at a value of 2).
        assert_close(found[10 * index][0], theirs, rtol=2**-20, atol=1e-6)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_batch_is_the_slow_twin(tmp_path, activation):
    folder = write_elmo(tmp_path, activation=activation)
    embedder, slow = in_double(folder), SlowElmo(folder)
    found = embedder.vectors(SENTENCES, range(4))
    assert max(len(word.encode()) for words in SENTENCES for word in words) > LONGEST - 2
    for words, vectors in zip(SENTENCES[:3], found, strict=False):
        assert_close(vectors, torch.from_numpy(slow.vectors(words)))
    assert found[3].shape == (4, 0, 12)


def test_the_clips_are_reached(folder):
    """Else the twin would not see them."""
    model = read_elmo(folder)
    ids = character_ids([b"dog", b"house", b"the"], LONGEST)
    states, carried = model(model.characters(ids)[None], torch.ones(1, 3, dtype=torch.bool))
    assert states[1].abs().max() == pytest.approx(0.7)
    assert carried[0][0].abs().max() == pytest.approx(0.8)


def test_to_carry_the_state_is_to_read_one_long_text(folder):
    """Forward only: the backward direction reads the second part first where the text is one."""
    model = read_elmo(folder).double()
    tokens = torch.randn(2, 9, 6, generator=torch.Generator().manual_seed(0)).double()
    whole, _ = model(tokens, torch.ones(2, 9, dtype=torch.bool))
    _, carried = model(tokens[:, :4], torch.ones(2, 4, dtype=torch.bool))
    rest, _ = model(tokens[:, 4:], torch.ones(2, 5, dtype=torch.bool), carried)
    for layer in (1, 2, 3):
        assert_close(rest[layer][..., :6], whole[layer][:, 4:, :6])


def test_a_state_waits_where_a_sentence_has_ended(folder):
    model = read_elmo(folder).double()
    tokens = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(1)).double()
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    _, together = model(tokens, mask)
    _, alone = model(tokens[1:, :2], mask[1:, :2])
    for mine, theirs in zip(together, alone, strict=True):
        for ours, other in zip(mine, theirs, strict=True):
            assert_close(ours[:, 1:], other)
