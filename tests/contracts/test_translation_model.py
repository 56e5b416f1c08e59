"""What every TranslationModel promises, on a tiny model of each architecture, against Hugging Face's own calls."""

import copy
from dataclasses import replace
from itertools import combinations_with_replacement

import pytest
import torch
from torch.testing import assert_close

from nmt_ib.errors import RequestError
from nmt_ib.models.seq2seq import Seq2SeqModel
from nmt_ib.protocols import TranslationModel
from nmt_ib.types import TokenBatch
from tests.oracles.words import check_words
from tests.tiny_models import ENGLISH, MODELS, PORTUGUESE, bart

SOURCES = ("She sells sea shells by the sea shore, 12 of them!", "no", "The house is old.")
TARGETS = (PORTUGUESE[1], "Um c", "Nunca")
PATHS = list(combinations_with_replacement(range(4), 2))
HOSTILE = ("  A  dog ", "naïve 中文 😀😀 a\u0301", "don't stop-now...", "\u200bthe\u00a0house", "½ of ﬁne")
SPECIAL = (
    "</s>", "<s>", "<unk>", "<pad>", "<mask>", ">>pt<<", "en_XX", "pt", "__pt__", "__kk__", "eng_Latn", "<extra_id_0>",
)  # fmt: skip


@pytest.fixture(params=MODELS)
def tiny(request, tiny_model):
    return tiny_model(request.param)


@pytest.fixture
def model(tiny):
    return tiny.model


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


def sources(model):
    return model.pad([model.tokenize_source(text) for text in SOURCES])


def targets(model):
    return model.pad([model.tokenize_target(text) for text in TARGETS])


def decoder_inputs(tiny, ids):
    start = tiny.model.tokenizer.convert_tokens_to_ids(list(tiny.start))
    return torch.tensor([[*start, *ids[:-1]]])


def hf_output(tiny, source, target, **settings):
    """Hugging Face's own forward pass over one unpadded pair, in a copy: transformers leaves hooks where it looks."""
    network = copy.deepcopy(tiny.model.model)
    if settings.get("output_attentions"):
        network.set_attn_implementation("eager")
    ids = torch.tensor([source.ids])
    return network(input_ids=ids, decoder_input_ids=decoder_inputs(tiny, target.ids), use_cache=False, **settings)


def limit(model, source):
    return min(2 * len(source) + 16, model.max_target_pieces)


def hf_translation(tiny, source, beams):
    """Hugging Face's own search for one unpadded sentence, without `</s>`."""
    start = tiny.model.tokenizer.convert_tokens_to_ids(list(tiny.start))
    found = tiny.model.model.generate(
        torch.tensor([source.ids]),
        attention_mask=torch.ones(1, len(source), dtype=torch.long),
        num_beams=beams,
        do_sample=False,
        max_new_tokens=limit(tiny.model, source) + len(start) - 1,
        forced_bos_token_id=start[1] if len(start) == 2 else None,
        forced_eos_token_id=tiny.model.eos_id,
    )[0].tolist()
    assert found[: len(start)] == start
    return found[len(start) :]


def snapshot(model):
    """All that a method could leave behind in the network and the tokenizer."""
    network = model.model
    return {
        "hooks": {
            name: (len(part._forward_hooks), len(part._forward_pre_hooks), len(part._backward_hooks))
            for name, part in network.named_modules()
        },
        "mode": {name: part.training for name, part in network.named_modules()},
        "weights": {name: (id(weight), weight.sum().item()) for name, weight in network.named_parameters()},
        "gradients": {name: weight.requires_grad for name, weight in network.named_parameters()},
        "attention": [part.config._attn_implementation for part in network.modules() if hasattr(part, "config")],
        "generation": network.generation_config.to_dict(),
        "tokenizer": model.tokenizer(SOURCES[0]).input_ids,
        "target": model.tokenize_target(TARGETS[0]),
    }


def test_is_a_translation_model(model):
    assert isinstance(model, TranslationModel)
    assert (model.encoder_layers, model.decoder_layers) == (3, 2)


def test_sources_are_read_as_the_tokenizer_reads_them(tiny):
    tokenizer = tiny.model.tokenizer
    marian_code = tokenizer.convert_tokens_to_ids([piece for piece in tiny.before if piece.startswith(">>")])
    for text in (*SOURCES, *ENGLISH):
        theirs = tokenizer(tiny.model.text_prefix + text).input_ids
        assert tiny.model.tokenize_source(text).ids == (*marian_code, *theirs)


def test_targets_are_read_as_the_tokenizer_reads_them(tiny):
    for text in (*TARGETS, *PORTUGUESE):
        theirs = tiny.model.tokenizer(text_target=text, add_special_tokens=False).input_ids
        assert tiny.model.tokenize_target(text).ids == (*theirs, tiny.model.eos_id)


def test_special_pieces_stand_around_a_source_and_belong_to_no_word(tiny):
    head, tail = len(tiny.before), len(tiny.after)
    for text in (*SOURCES, *HOSTILE):
        sentence = tiny.model.tokenize_source(text)
        assert (sentence.pieces[:head], sentence.pieces[-tail:]) == (tiny.before, tiny.after)
        assert set(sentence.word_index[:head] + sentence.word_index[-tail:]) == {-1}
        assert -1 not in sentence.word_index[head:-tail]


def test_each_piece_belongs_to_one_word_and_words_cover_the_text(model):
    for text in (*SOURCES, *HOSTILE, *(f"the {piece} house" for piece in SPECIAL)):
        sentence = model.tokenize_source(text)
        check_words(sentence)
        covered = {place for word in sentence.words for place in range(word.start, word.end)}
        assert {place for place, character in enumerate(text) if not character.isspace()} <= covered


def test_an_empty_source_has_no_words(model):
    for text in ("", " ", "\t\n"):
        assert model.tokenize_source(text).words == ()
        assert model.tokenize_target(text).ids[-1] == model.eos_id


def test_what_looks_special_in_a_text_is_text(tiny):
    model, tokenizer = tiny.model, tiny.model.tokenizer
    codes = getattr(tokenizer, "lang_code_to_id", {}).values()
    special = {*tokenizer.all_special_ids, *codes} - {tokenizer.unk_token_id}
    special |= {tokenizer.convert_tokens_to_ids(code) for code in getattr(tokenizer, "supported_language_codes", [])}
    for piece in SPECIAL:
        source, target = model.tokenize_source(f"the {piece} house"), model.tokenize_target(f"da {piece} casa")
        assert not special & set(source.ids[len(tiny.before) : -len(tiny.after)])
        assert not special & set(target.ids[:-1])
        assert {place for span in source.spans for place in range(*span)} >= set(range(4, 4 + len(piece)))


def test_encode_of_embeddings_is_the_encoder(model):
    batch = sources(model)
    theirs = model.model.get_encoder()(input_ids=batch.ids, attention_mask=batch.mask.long()).last_hidden_state
    assert_close(model.encode(model.embed(batch.ids), batch.mask)[batch.mask], theirs[batch.mask])


def test_the_embedding_table_holds_all_embeddings(model):
    batch = sources(model)
    assert_close(model.embedding_table()[batch.ids], model.embed(batch.ids), rtol=0, atol=0)


def test_encoder_states_are_the_layers_outputs(tiny):
    model = tiny.model
    for text in SOURCES:
        source = model.tokenize_source(text)
        batch = model.pad([source])
        ours = model.encoder_states(model.embed(batch.ids), batch.mask)
        output = hf_output(tiny, source, model.tokenize_target("da"), output_hidden_states=True)
        assert len(ours) == model.encoder_layers
        for mine, theirs in zip(ours[:-1], output.encoder_hidden_states[1:-1], strict=True):
            assert_close(mine, theirs)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_going_on_from_a_layer_is_the_full_run(model, layer):
    batch = sources(model)
    embeddings = model.embed(batch.ids)
    states = model.encoder_states(embeddings, batch.mask)
    whole = model.encode(embeddings, batch.mask)
    assert_close(model.encode(states[layer - 1], batch.mask, from_layer=layer)[batch.mask], whole[batch.mask])


@pytest.mark.parametrize(("from_layer", "to_layer"), PATHS)
def test_leaving_at_a_layer_gives_its_output(model, from_layer, to_layer):
    batch = sources(model)
    embeddings = model.embed(batch.ids)
    states = (embeddings, *model.encoder_states(embeddings, batch.mask))
    ours = model.encode(states[from_layer], batch.mask, from_layer, to_layer)
    assert_close(ours[batch.mask], states[to_layer][batch.mask])


@pytest.mark.parametrize(("from_layer", "to_layer"), [(0, 4), (4, None), (2, 1), (-1, None)])
def test_layers_that_are_not_there_are_refused(model, from_layer, to_layer):
    batch = sources(model)
    with pytest.raises(RequestError, match="of 3 layers"):
        model.encode(model.embed(batch.ids), batch.mask, from_layer, to_layer)


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_an_edit_at_a_layer_changes_the_rest_and_nothing_else(model, layer):
    batch = sources(model)
    embeddings = model.embed(batch.ids)
    states = (embeddings, *model.encoder_states(embeddings, batch.mask))[layer]
    edited = states.clone()
    edited[0, 1, 0] += 3.0
    before = model.encode(states, batch.mask, from_layer=layer)
    after = model.encode(edited, batch.mask, from_layer=layer)
    assert (after - before)[0].abs().max() > 1e-3
    assert_close(after[1:], before[1:])


def test_forced_scores_are_hugging_faces(tiny):
    model, batch, forced = tiny.model, sources(tiny.model), targets(tiny.model)
    states = model.decode(model.encode(model.embed(batch.ids), batch.mask), batch.mask, forced.ids).states
    ours = model.logits(states)
    for row, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        target = model.tokenize_target(target)
        theirs = hf_output(tiny, model.tokenize_source(source), target).logits[0, len(tiny.start) - 1 :]
        assert_close(ours[row, : len(target)], theirs)


def test_scores_of_candidates_are_columns(model):
    batch, forced = sources(model), targets(model)
    states = model.decode(model.encode(model.embed(batch.ids), batch.mask), batch.mask, forced.ids).states
    candidates = torch.tensor([7, 3, 30, 3])
    assert_close(model.logits(states, candidates), model.logits(states)[..., candidates])


def test_layers_and_cross_attention_of_the_decoder(tiny):
    model = tiny.model
    batch, forced = sources(model), targets(model)
    encoded = model.encode(model.embed(batch.ids), batch.mask)
    decoded = model.decode(encoded, batch.mask, forced.ids, with_layers=True)
    assert_close(decoded.states, model.decode(encoded, batch.mask, forced.ids).states)
    assert len(decoded.layers) == len(decoded.cross_attentions) == model.decoder_layers
    skip = len(tiny.start) - 1
    for row, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        source, target = model.tokenize_source(source), model.tokenize_target(target)
        settings = {"output_attentions": True, "output_hidden_states": True}
        output = hf_output(tiny, source, target, **settings)
        for ours, theirs in zip(decoded.layers[:-1], output.decoder_hidden_states[1:-1], strict=True):
            assert_close(ours[row, : len(target)], theirs[0, skip:])
        for ours, theirs in zip(decoded.cross_attentions, output.cross_attentions, strict=True):
            assert_close(ours[row, :, : len(target), : len(source)], theirs[0, :, skip:])
            assert_close(ours.sum(-1), torch.ones_like(ours[..., 0]))


def test_decoding_from_the_targets_embeddings_is_plain_decoding(tiny):
    model = tiny.model
    batch, forced = sources(model), targets(model)
    encoded = model.encode(model.embed(batch.ids), batch.mask)
    given = model.decode(encoded, batch.mask, forced.ids, inputs=model.embed_target(forced.ids), with_layers=True)
    plain = model.decode(encoded, batch.mask, forced.ids, with_layers=True)
    for ours, theirs in zip((given.states, *given.layers), (plain.states, *plain.layers), strict=True):
        assert_close(ours[forced.mask], theirs[forced.mask])


@pytest.mark.parametrize("position", [0, 1, 3])
def test_what_the_decoder_reads_at_a_position_changes_no_earlier_state(model, position):
    batch, forced = sources(model), targets(model)
    encoded = model.encode(model.embed(batch.ids), batch.mask)
    inputs = model.embed_target(forced.ids)
    disturbed = inputs.clone()
    disturbed[0, position, :3] += 3.0
    plain, other = (model.decode(encoded, batch.mask, forced.ids, inputs=given).states for given in (inputs, disturbed))
    assert_close(other[0, :position], plain[0, :position])
    assert_close(other[1:], plain[1:])
    moved = (other - plain)[0, position : len(model.tokenize_target(TARGETS[0]))].abs().amax(1)
    assert moved[0] > 1e-6
    assert moved[1:].max() > 1e-6  # not each of them: an SSRU forgets, and its cell is cut off at 0


def test_padding_and_order_change_nothing(model):
    batch, forced = sources(model), targets(model)

    def scores(batch, forced):
        encoded = model.encode(model.embed(batch.ids), batch.mask)
        return model.logits(model.decode(encoded, batch.mask, forced.ids).states)

    def wider(batch):
        fill = torch.nn.functional.pad
        return TokenBatch(
            fill(batch.ids, (0, 5), value=model.pad_id),
            fill(batch.mask, (0, 5)),
            fill(batch.word_index, (0, 5), value=-1),
        )

    def flipped(batch):
        return TokenBatch(batch.ids.flip(0), batch.mask.flip(0), batch.word_index.flip(0))

    plain = scores(batch, forced)
    assert_close(scores(wider(batch), wider(forced))[:, :-5][forced.mask], plain[forced.mask])
    assert_close(scores(flipped(batch), flipped(forced)).flip(0)[forced.mask], plain[forced.mask])


@pytest.mark.parametrize("beams", [1, 3])
def test_translations_are_hugging_faces(tiny, beams):
    model = tiny.model
    ours = model.translate(sources(model), beams=beams)
    for text, translation in zip(SOURCES, ours, strict=True):
        theirs = hf_translation(tiny, model.tokenize_source(text), beams)
        assert translation.ids == (*theirs[: theirs.index(model.eos_id)], model.eos_id)
        assert translation.text == model.tokenizer.decode(theirs, skip_special_tokens=True)


def test_a_forced_first_piece_counts_in_the_length_that_ranks_beams(tmp_path):
    tiny = bart(tmp_path, steps=0)  # unsure of everything, so that the ranks are close
    for text in ("of is", "it that", "the"):
        source = tiny.model.tokenize_source(text)
        ours = tiny.model.translate(tiny.model.pad([source]), beams=4)[0]
        assert list(ours.ids) == hf_translation(tiny, source, 4)


def test_greedy_writes_the_best_piece_at_each_step(tiny):
    model = tiny.model
    for text, translation in zip(SOURCES, model.translate(sources(model)), strict=True):
        source = model.tokenize_source(text)
        logits = hf_output(tiny, source, translation).logits[0, len(tiny.start) - 1 :]
        logits[:, list(tiny.never)] = -torch.inf
        best = tuple(logits.argmax(-1).tolist())
        free = len(translation) - (len(translation) == limit(model, source))
        assert translation.ids[:free] == best[:free]
        assert translation.ids.index(model.eos_id) == len(translation) - 1


def test_a_batch_of_one_translates_alike(model):
    alone = [model.translate(model.pad([model.tokenize_source(text)]))[0] for text in SOURCES]
    assert model.translate(sources(model)) == alone


def test_the_longest_source_and_target_fit(tiny):
    model = tiny.model
    source, target = model.tokenize_source(SOURCES[0]), model.tokenize_target(TARGETS[0])

    def stretched(sentence, length):
        ids = (*sentence.ids[:2],) + (sentence.ids[2],) * (length - len(sentence)) + sentence.ids[2:]
        return replace(sentence, ids=ids, word_index=(-1,) * length)

    batch = model.pad([stretched(source, model.max_source_pieces)])
    forced = model.pad([stretched(target, model.max_target_pieces)])
    states = model.decode(model.encode(model.embed(batch.ids), batch.mask), batch.mask, forced.ids).states
    assert states.shape[:2] == (1, model.max_target_pieces)
    assert states.isfinite().all()


def use_everything(model):
    batch, forced = sources(model), targets(model)
    embeddings = model.embed(batch.ids)
    states = model.encoder_states(embeddings, batch.mask)
    encoded = model.encode(states[1], batch.mask, from_layer=2)
    model.encode(states[0], batch.mask, from_layer=1, to_layer=2)
    model.logits(model.decode(encoded, batch.mask, forced.ids, with_layers=True).states)
    model.decode(encoded, batch.mask, forced.ids, inputs=model.embed_target(forced.ids))
    model.translate(batch)
    return batch, embeddings, states, encoded, forced


def test_the_model_is_left_as_it_was(model):
    before = snapshot(model)
    use_everything(model)
    assert snapshot(model) == before
    assert set(before["hooks"].values()) == {(0, 0, 0)}


def test_the_model_is_left_as_it_was_also_after_an_error(model):
    before = snapshot(model)
    batch, embeddings, states, encoded, forced = use_everything(model)
    with pytest.raises(RuntimeError):
        model.encoder_states(embeddings[..., 1:], batch.mask)
    with pytest.raises(RuntimeError):
        model.encode(states[0][..., 1:], batch.mask, from_layer=1)
    with pytest.raises(RuntimeError):
        model.encode(states[0][..., 1:], batch.mask, from_layer=1, to_layer=2)
    with pytest.raises(RuntimeError):
        model.decode(encoded[..., 1:], batch.mask, forced.ids, with_layers=True)
    with pytest.raises(RuntimeError):
        model.decode(encoded[..., 1:], batch.mask, forced.ids, inputs=model.embed_target(forced.ids)[..., 1:])
    assert snapshot(model) == before
    assert len(model.encoder_states(embeddings, batch.mask)) == model.encoder_layers


def test_the_fingerprint_follows_weights_and_settings(model):
    def other():
        other = copy.copy(model)
        other.__dict__.pop("fingerprint", None)
        other.model = copy.deepcopy(model.model)
        return other

    same, changed, prefixed = other(), other(), other()
    next(changed.model.parameters()).data[0, 0] += 1e-9
    prefixed.text_prefix = "Translate: "
    assert same.fingerprint == model.fingerprint
    assert len({model.fingerprint, changed.fingerprint, prefixed.fingerprint}) == 3


@pytest.mark.parametrize(
    ("name", "settings", "flag"),
    [
        ("t5", {}, "--prefix"),
        ("mbart-50", {"source_language": "en_XX"}, "--target-language"),
        ("mbart-25", {"target_language": "en_XX"}, "--source-language"),
        ("m2m100", {}, "--source-language"),
        ("nllb", {}, "--target-language"),
        ("marian-multilingual", {}, "--target-language"),
        ("marian-multilingual", {"target_language": "de"}, "es, pt"),
        ("mbart-50", {"source_language": "en_XX", "target_language": "xx_XX"}, "xx_XX"),
        ("m2m100", {"source_language": "en", "target_language": "▁the"}, "▁the"),
        ("nllb", {"source_language": "Klingon", "target_language": "por_Latn"}, "Klingon"),
    ],
)
def test_a_missing_setting_is_named(tiny_model, name, settings, flag):
    tiny = tiny_model(name).model
    with pytest.raises(RequestError, match=flag):
        Seq2SeqModel(tiny.model, tiny.tokenizer, name="x", **settings)
