"""Which noise the swaps behind a protocol's figures start from."""

from __future__ import annotations

import pytest

from seqdis.core.starting_noise import NoiseChoice
from seqdis.eval.protocols.bitrate import Bitrate
from seqdis.eval.protocols.few_steps import FewSteps
from seqdis.eval.protocols.generation import Generation
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.protocols.reconstruction import Reconstruction
from seqdis.eval.protocols.speaker import Speaker
from seqdis.eval.protocols.swap import Swap
from seqdis.eval.protocols.traversal import Traversal


@pytest.mark.parametrize("choice", ["dynamic", "static", "fresh"])
def test_it_is_what_the_options_choose(choice: NoiseChoice) -> None:
    assert Swap().swap_noise(Swap.Options(noise=choice)) == choice


@pytest.mark.parametrize("protocol", [FewSteps, Generation, Traversal, Speaker])
def test_without_an_option_it_is_that_of_the_dynamics(protocol: type[Protocol]) -> None:
    assert protocol().swap_noise(protocol.Options()) == "dynamic"


def test_where_nothing_is_swapped_there_is_none() -> None:
    assert Reconstruction().swap_noise(Reconstruction.Options()) is None
    assert Speaker().swap_noise(Speaker.Options(listen=0)) is None
    assert FewSteps().swap_noise(FewSteps.Options(judge_swaps=False)) is None
    assert [Bitrate().swap_noise(Bitrate.Options(pairs=pairs)) for pairs in (0, 4)] == [None, "dynamic"]
