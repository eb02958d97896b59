"""Subwords: transcripts as tokens that a SentencePiece model learns from the training split."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from seqdis.core.errors import InputError

__all__ = ["Subwords"]

_RESERVED = 2
"""SentencePiece's own: the unknown token and the mark of a word's beginning."""


class Subwords:
    """A unigram subword model (Kudo 2018), as the package sentencepiece trains it.

    Args:
        transcripts: Transcripts of the training split.
        size: Tokens at most; fewer where the transcripts do not support so many, and at least one a character.

    Raises:
        InputError: The package is absent, or the transcripts hold no text.
    """

    def __init__(self, transcripts: Sequence[str], *, size: int = 64) -> None:
        try:
            import sentencepiece
        except ImportError as error:
            raise InputError(
                "subwords need sentencepiece, which is not installed: pip install 'seqdis-eval[speech]'"
            ) from error
        library: Any = sentencepiece  # an extra: types must be the same with and without it
        characters = {character for text in transcripts for character in text if not character.isspace()}
        if not characters:
            raise InputError(f"subwords need transcripts with text; got {len(transcripts)} without any")
        written = io.BytesIO()
        library.SentencePieceTrainer.train(
            sentence_iterator=iter(transcripts),
            model_writer=written,
            model_type="unigram",
            vocab_size=max(size, len(characters) + _RESERVED),
            hard_vocab_limit=False,
            character_coverage=1.0,
            bos_id=-1,
            eos_id=-1,
            num_threads=1,
            minloglevel=2,
        )
        self._processor: Any = library.SentencePieceProcessor(model_proto=written.getvalue())

    def __len__(self) -> int:
        return int(self._processor.get_piece_size())

    def encode(self, text: str) -> list[int]:
        """The tokens of a text."""
        return [int(token) for token in self._processor.encode(text)]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""
        return str(self._processor.decode(list(tokens)))
