"""What the two peers in Faust share: the app, its topics and its model."""

import tempfile

import faust

from benchmarks.peers.answers import AsyncModel
from benchmarks.peers.place import Place


class Query(faust.Record):
    """One record of the source topic."""

    query_id: str
    user_id: str
    text: str


class PeerApp(faust.App):
    """Faust at least once, without its web server and with a producer that lingers."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            place.group,
            broker=f"kafka://{place.bootstrap}",
            consumer_auto_offset_reset="earliest",
            producer_acks=-1,
            producer_linger=0.005,
            producer_max_batch_size=65_536,
            stream_wait_empty=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            datadir=tempfile.mkdtemp(prefix="intentstream-peer-"),
        )
        self.place = place
        self.queries = self.topic(place.source, value_type=Query)
        self.understood = self.topic(place.target)
        self._model: AsyncModel | None = None

    def model(self) -> AsyncModel:
        """The model, connected on the first call, from within the loop."""
        if self._model is None:
            self._model = AsyncModel(self.place.triton)
        return self._model
