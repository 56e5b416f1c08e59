"""States of layers and their labels."""

import torch

from nmt_ib.studies.planes.layer_states import LayerStates, gather_states
from nmt_ib.studies.planes.word_labels import NEXT, OUTPUT, POS, PREVIOUS, WORD


def test_states_are_added_up_to_the_maximum():
    states = LayerStates("decoder", 5)
    for start in (0, 3, 6):
        layer = torch.arange(start, start + 3.0)[:, None]
        states.add([layer, 2 * layer], {WORD: [str(start)] * 3})
        assert states.full == (start > 0)
    assert states.labels[WORD] == ["0", "0", "0", "3", "3"]
    assert [(name, layer[:, 0].tolist()) for name, layer in states.layers()] == [
        ("decoder 1", [0, 1, 2, 3, 4]),
        ("decoder 2", [0, 2, 4, 6, 8]),
    ]


def test_the_decoder_layer_that_aligns_best_is_taken(tiny_model):
    model = tiny_model("marian").model
    sources = [model.tokenize_source(text) for text in ("the small dog sleeps", "a red house") * 3]
    targets = [model.tokenize_target(text) for text in ("o cão dorme", "uma casa vermelha") * 3]
    encoder, decoder = gather_states(model, sources, targets, tokens=100)
    assert list(encoder.labels) == [WORD, PREVIOUS, NEXT, POS, OUTPUT]
    assert {len(labels) for labels in encoder.labels.values()} == {encoder.count}
    assert set(encoder.labels[OUTPUT]) <= set(decoder.labels[OUTPUT])
