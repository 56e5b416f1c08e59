"""Beam search with a separate length limit for each sentence of a batch."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput


def generate(
    model: PreTrainedModel,
    encoded: Float[Tensor, "B S D"],
    mask: Bool[Tensor, "B S"],
    limits: Int[Tensor, " B"],
    *,
    prefix: list[int],
    eos_id: int,
    beams: int,
) -> list[list[int]]:
    """Ids of the translations of a batch.

    Args:
        model: An encoder-decoder.
        encoded: Final states of its encoder.
        mask: False on padding.
        limits: Maximum length of each translation, including `</s>`.
        prefix: Pieces that the decoder reads before the translation.
        eos_id: Id of `</s>`.
        beams: Beam size; 1: greedy search.

    Returns:
        One list per sentence, without the prefix; `</s>` and padding follow the translation.
    """
    start, *forced = prefix
    end = _EndAtLimit(limits + len(prefix), eos_id, beams)
    generated = model.generate(  # type: ignore[operator] # from a mixin that PreTrainedModel does not declare
        encoder_outputs=BaseModelOutput(last_hidden_state=encoded),
        attention_mask=mask.long(),
        decoder_input_ids=torch.full((len(limits), 1), start, device=mask.device),
        num_beams=beams,
        do_sample=False,
        max_new_tokens=int(limits.max()) + len(forced),
        # Forced, not part of decoder_input_ids: published models rank beams by a length that counts this piece.
        forced_bos_token_id=forced[0] if forced else None,
        forced_eos_token_id=None,
        logits_processor=LogitsProcessorList([end]),
    )
    return generated[:, len(prefix) :].tolist()


class _EndAtLimit(LogitsProcessor):
    """Forces `</s>` when a sentence reaches its own limit: `generate` has only one limit for the whole batch."""

    def __init__(self, lengths: Int[Tensor, " B"], eos_id: int, beams: int) -> None:
        self.lengths = lengths.repeat_interleave(beams)
        self.eos_id = eos_id

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        at_limit = self.lengths <= input_ids.shape[1] + 1
        if not at_limit.any():
            return scores
        only_end = torch.full_like(scores, -torch.inf)
        only_end[:, self.eos_id] = 0
        return torch.where(at_limit[:, None], only_end, scores)
