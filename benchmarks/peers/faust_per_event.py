"""A peer: an agent of Faust, one call of the model an event, as in its "Agents" guide."""

from typing import Any

from benchmarks.peers.faust_app import PeerApp
from benchmarks.peers.place import Place

app = PeerApp(Place.of_environment())


@app.agent(app.queries)
async def understand(queries: Any) -> None:
    """Understands each query as it comes."""
    model = app.model()
    async for query in queries:
        (answer,) = await model.understand([query.text])
        await app.understood.send(key=query.user_id, value=query.asdict() | answer)


if __name__ == "__main__":
    app.main()
