"""What every Embedder promises, on a tiny one of each kind."""

import copy

import pytest
from torch.testing import assert_close

from nmt_ib.errors import RequestError
from nmt_ib.models.elmo_files import read_elmo
from nmt_ib.models.embedders import ElmoEmbedder, TransformerEmbedder
from nmt_ib.protocols import Embedder
from tests.tiny_encoders import ENCODERS

TRANSLATORS = ("marian", "marian-multilingual", "ssru", "bart", "t5")
SENTENCES = (
    "She sells sea shells by the sea shore , 12 of them !".split(),
    [],
    ["no"],
    ["12 000", "a\u0301", "😀😀", "\u200b", "don't", "</s>", "[SEP]", "中文", "ﬁne"],
    "The house is old .".split() * 12,
)
ALL = (0, 1, 2, 3)


@pytest.fixture
def embedder(request, tiny_encoder, tiny_model, tmp_path_factory):
    if request.param == "elmo":
        pytest.importorskip("h5py", reason="needs h5py: pip install 'nmt_ib[elmo]'")
        from tests.tiny_elmo import write_elmo

        return ElmoEmbedder(read_elmo(write_elmo(tmp_path_factory.mktemp("elmo"))).double(), name="tiny")
    tiny = tiny_encoder(request.param) if request.param in ENCODERS else tiny_model(request.param).model
    return TransformerEmbedder(tiny)


EVERY = pytest.mark.parametrize("embedder", ["elmo", *ENCODERS, *TRANSLATORS], indirect=True)


@EVERY
def test_is_an_embedder_of_so_many_layers(embedder):
    assert isinstance(embedder, Embedder)
    assert embedder.layers == 4


@EVERY
def test_every_word_has_a_vector_in_every_layer(embedder):
    found = embedder.vectors(SENTENCES, ALL)
    assert [vectors.shape for vectors in found] == [(4, len(words), embedder.width) for words in SENTENCES]
    assert all(vectors.isfinite().all() and not vectors.requires_grad for vectors in found)


@EVERY
def test_layers_come_as_they_are_asked_for(embedder):
    every = embedder.vectors(SENTENCES, ALL)
    for layers in ([2, 0], [3], [0], [1, 3, 1]):
        for vectors, all_of_them in zip(embedder.vectors(SENTENCES, layers), every, strict=True):
            assert_close(vectors, all_of_them[layers])


@EVERY
def test_a_sentence_does_not_know_its_batch(embedder):
    together = embedder.vectors(SENTENCES, ALL)
    turned = embedder.vectors(SENTENCES[::-1], ALL)[::-1]
    for words, vectors, other in zip(SENTENCES, together, turned, strict=True):
        assert_close(other, vectors)
        assert_close(embedder.vectors([words], ALL)[0], vectors)


@EVERY
def test_no_sentences_and_no_words_have_no_vectors(embedder):
    assert embedder.vectors([], [0]) == []
    assert [vectors.shape for vectors in embedder.vectors([[], []], [1, 2])] == [(2, 0, embedder.width)] * 2


@EVERY
@pytest.mark.parametrize("layer", [4, -1])
def test_layers_that_are_not_there_are_refused(embedder, layer):
    with pytest.raises(RequestError, match=rf"tiny has no layer {layer}: it has 4, 0 \(context-free\) to 3"):
        embedder.vectors(SENTENCES, [0, layer])
    with pytest.raises(RequestError, match="no layer was requested; tiny has 4"):
        embedder.vectors(SENTENCES, [])


@EVERY
def test_types_are_the_words_read_alone(embedder):
    words = ["house", "no", "\u200b", "shells", "no"]
    types = embedder.types(words)
    for word, vector in zip(words, types, strict=True):
        assert_close(embedder.vectors([[word]], [0])[0][0, 0], vector)
    assert_close(types[1], types[4])
    assert (types[0] - types[3]).abs().max() > 1e-3


@EVERY
def test_only_layer_0_does_not_know_the_other_words(embedder):
    """The words that are changed have as many pieces before and after: a position is no word."""
    sentence, other = "the dog is old .".split(), "the dog is green .".split()
    one, two = embedder.vectors([sentence], ALL)[0], embedder.vectors([other], ALL)[0]
    assert_close(one[0, :3], two[0, :3])
    assert ((one - two)[1:, :3].abs().amax((1, 2)) > 1e-9).all()  # in float64, where rounding is 1e-16


@EVERY
def test_the_fingerprint_follows_the_weights(embedder):
    def again():
        return copy.deepcopy(embedder)

    changed = again()
    vars(changed).pop("fingerprint", None)
    network = changed.model if isinstance(changed, ElmoEmbedder) else changed.model.model
    if not isinstance(changed, ElmoEmbedder):
        vars(changed.model).pop("fingerprint", None)
    next(network.parameters()).data.view(-1)[0] += 1e-3
    assert again().fingerprint == embedder.fingerprint
    assert changed.fingerprint != embedder.fingerprint
