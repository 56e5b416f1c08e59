"""Students of marian-nmt against a slow twin in NumPy; caches, and what saving and loading keep."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from transformers import AutoConfig, AutoModelForSeq2SeqLM, DynamicCache, MarianMTModel

from nmt_ib.models.marian_binary import read_marian_binary
from nmt_ib.models.marian_weights import build_model
from nmt_ib.models.ssru import SSRU, MarianSSRUConfig, MarianSSRUForConditionalGeneration, marian_positions
from tests.oracles import marian_file, marian_student

VOCABULARY, WIDTH = 30, 16
SOURCE, TARGET = [5, 9, 9, 12, 3, 28, 0], [4, 4, 17, 29, 8, 0]


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


def student(folder, *, int8=False, **options):
    config = marian_file.CONFIG | {option.replace("_", "-"): value for option, value in options.items()}
    tensors = marian_file.random_tensors(config, VOCABULARY, WIDTH)
    path = marian_file.write(folder / "model.bin", config, tensors, int8=int8)
    kept = marian_file.quantised(tensors) if int8 else tensors
    return build_model(read_marian_binary(path)), config, kept


@pytest.fixture
def network(tmp_path):
    return student(tmp_path)[0].double()


def scores(network, source=SOURCE, target=TARGET):
    inputs = torch.tensor([[network.config.decoder_start_token_id, *target[:-1]]])
    return network(torch.tensor([source]), decoder_input_ids=inputs).logits[0]


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("autoregression", ["rnn", "self-attention"])
@pytest.mark.parametrize("activation", ["relu", "swish"])
def test_a_student_computes_what_marian_does(tmp_path, int8, autoregression, activation):
    options = {"transformer_decoder_autoreg": autoregression, "transformer_ffn_activation": activation}
    network, config, tensors = student(tmp_path, int8=int8, **options)
    expected = marian_student.logits(tensors, config, SOURCE, TARGET)
    # The position table stays float32 when the model becomes float64, so its rounding is in the result.
    found = scores(network.double())
    assert_close(found[:, :VOCABULARY], torch.from_numpy(expected), rtol=0, atol=1e-5)
    assert found[:, VOCABULARY].max() < -1e8


def test_the_unit_is_its_recurrence():
    torch.manual_seed(0)
    unit = SSRU(WIDTH, 0).double()
    inputs = torch.randn(3, 11, WIDTH, dtype=torch.float64)
    weights = (unit.cell.weight.T, unit.forget.weight.T, unit.forget.bias)
    expected = [marian_student.ssru(row, *(weight.numpy() for weight in weights)) for row in inputs.numpy()]
    assert_close(unit(inputs)[0], torch.from_numpy(np.stack(expected)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("sizes", [[1] * 11, [4, 1, 6], [10, 1]])
def test_steps_with_a_cache_are_one_pass(sizes):
    torch.manual_seed(1)
    unit, cache = SSRU(WIDTH, 0).double(), DynamicCache()
    inputs = torch.randn(3, 11, WIDTH, dtype=torch.float64)
    steps = [unit(part, cache=cache)[0] for part in inputs.split(sizes, dim=1)]
    assert_close(torch.cat(steps, dim=1), unit(inputs)[0], rtol=0, atol=1e-12)


def test_the_whole_model_step_by_step_is_one_pass(network):
    memory = network.get_encoder()(torch.tensor([SOURCE]))
    cache, rows = None, []
    for piece in [network.config.decoder_start_token_id, *TARGET[:-1]]:
        output = network(encoder_outputs=memory, decoder_input_ids=torch.tensor([[piece]]), cache=cache, use_cache=True)
        cache = output.cache
        rows.append(output.logits[0, 0])
    assert_close(torch.stack(rows), scores(network), rtol=0, atol=1e-10)


@pytest.mark.parametrize("beams", [1, 4])
def test_search_with_and_without_a_cache(tiny_model, beams):
    tiny = tiny_model("ssru").model
    batch = tiny.pad(
        [tiny.tokenize_source(text) for text in ("She sells the old house.", "no", "It was a dog, said we!")]
    )
    inputs = {"attention_mask": batch.mask.long(), "num_beams": beams, "do_sample": False, "max_new_tokens": 40}
    found, expected = (tiny.model.generate(batch.ids, use_cache=cached, **inputs) for cached in (True, False))
    assert found.tolist() == expected.tolist()
    assert len({tuple(row) for row in found.tolist()}) > 1


def test_saving_and_loading_keeps_every_bit(tmp_path):
    network = student(tmp_path)[0]
    network.save_pretrained(tmp_path / "saved")
    assert type(AutoConfig.from_pretrained(tmp_path / "saved")) is MarianSSRUConfig
    loaded = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "saved")
    assert type(loaded) is MarianSSRUForConditionalGeneration
    for name, weight in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name
    longest = [3, 8] * 255 + [0]  # another position table shows on long inputs only
    assert torch.equal(scores(loaded, longest, longest), scores(network, longest, longest))


def test_a_student_with_self_attention_is_a_marian_model(tmp_path):
    network = student(tmp_path, transformer_decoder_autoreg="self-attention")[0]
    assert type(network) is MarianMTModel
    assert type(student(tmp_path)[0]) is MarianSSRUForConditionalGeneration


@pytest.mark.parametrize(("positions", "width"), [(512, 16), (30, 256), (1, 4)])
def test_the_position_table_is_its_formula(positions, width):
    expected = np.stack([marian_student.position(place, width) for place in range(positions)])
    # Angles up to 512 in float32, as marian-nmt has them, are exact to 3e-5.
    assert_close(marian_positions(positions, width).double(), torch.from_numpy(expected), rtol=0, atol=5e-5)


def test_encoder_and_decoder_have_the_table(network):
    for stack in (network.get_encoder(), network.get_decoder()):
        assert torch.equal(stack.embed_positions.weight, marian_positions(512, WIDTH).double())


def test_every_norm_has_marians_epsilon(tmp_path):
    for autoregression in ("rnn", "self-attention"):
        network = student(tmp_path, transformer_decoder_autoreg=autoregression)[0]
        norms = [part.eps for part in network.modules() if isinstance(part, torch.nn.LayerNorm)]
        assert norms == [1e-9] * 12
