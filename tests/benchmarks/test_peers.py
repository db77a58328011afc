"""The peers answer as the enricher does, and what compares them tells when they don't."""

import copy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import Load
from benchmarks.peers.agreement import agreement
from benchmarks.peers.contenders import ENRICHER, PEERS, Peer
from benchmarks.peers.course import course
from benchmarks.peers.place import Place
from benchmarks.rig import Servers
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.triton import EmbeddedTriton


def _event(text: str) -> dict[str, Any]:
    return {
        "text": text,
        "language": "en",
        "intent": {"label": "product_search", "score": 0.9},
        "alternatives": [{"label": "promotion", "score": 0.05}],
        "sentiment": {"label": "neutral", "score": 0.8},
        "entities": [{"type": "color", "start": 0, "end": 3, "score": 0.7}],
        "relations": [],
    }


def test_a_peer_agrees_only_down_to_the_last_digit() -> None:
    ours = {name: _event("red shoes") for name in "ab"}
    theirs = copy.deepcopy(ours)
    assert agreement(ours, theirs).share == 1.0
    theirs["b"]["entities"][0]["score"] = 0.6999
    assert agreement(ours, theirs).share == 0.5
    assert "not on b" in str(agreement(ours, theirs))
    assert agreement(ours, theirs, scores=False).share == 1.0
    theirs["b"]["entities"][0]["end"] = 9
    assert agreement(ours, theirs, scores=False).share == 0.5


def test_what_was_redacted_is_another_question() -> None:
    ours = {"a": _event("where is [ORDER]"), "b": _event("red [EMAIL]")}
    theirs = {"a": _event("where is [ORDER]"), "b": _event("red someone@example.org")}
    assert agreement(ours, theirs).queries == 0
    assert agreement(ours, theirs).share == 0.0


def test_a_place_is_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Place("a:1", "b:2", "source", "target", "group", "models")
    assert Place.of_environment() == Place()
    for name, value in told.environment().items():
        monkeypatch.setenv(name, value)
    assert Place.of_environment() == told


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param(
            peer,
            id=peer.module,
            marks=() if peer.module == "aiokafka_one_by_one" else pytest.mark.slow,
        )
        for peer in PEERS
    ],
)
async def test_a_peer_says_what_the_enricher_says(
    peer: Peer, kafka: EmbeddedKafka, triton: EmbeddedTriton, tmp_path: Path
) -> None:
    if peer.missing():
        pytest.skip(f"of the extra `bench`, {', '.join(peer.missing())} is not installed")
    assert kafka.process is not None
    assert triton.process is not None
    up = Servers(
        kafka.bootstrap, kafka.process.pid, triton.grpc_address, triton.process.pid, tmp_path
    )
    async with course(up, Load(150)) as track:
        for one in (ENRICHER, peer):
            await track.run_through(one)
        said = await track.compared(peer)
    assert said.queries > 100
    assert said.share >= peer.least_agreement, str(said)
