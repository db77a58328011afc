"""A peer: an agent of Faust that takes events in batches, as in its "Streams" guide."""

from typing import Any

from benchmarks.peers.answers import ROWS
from benchmarks.peers.faust_app import PeerApp
from benchmarks.peers.place import Place

app = PeerApp(Place.of_environment())


@app.agent(app.queries)
async def understand(queries: Any) -> None:
    """Understands what has come, up to a full batch."""
    model = app.model()
    async for batch in queries.take(ROWS, within=0.05):
        answers = await model.understand([query.text for query in batch])
        for query, answer in zip(batch, answers, strict=True):
            await app.understood.send(key=query.user_id, value=query.asdict() | answer)


if __name__ == "__main__":
    app.main()
