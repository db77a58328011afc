"""A peer: a streaming dataframe of Quix Streams, one call of the model a row.

Its dataframes are computed row by row. What it offers to gather rows, windows by count, gathers them by
key, one shopper's for one call, and holds what does not fill a window back for ever.
"""

from quixstreams import Application

from benchmarks.peers.answers import Event, Model
from benchmarks.peers.place import Place


def main() -> None:
    """Works until stopped."""
    place = Place.of_environment()
    model = Model(place.triton)
    app = Application(
        broker_address=place.bootstrap,
        consumer_group=place.group,
        auto_offset_reset="earliest",
        loglevel="WARNING",
    )

    def understand(query: Event) -> Event:
        (answer,) = model.understand([query["text"]])
        return query | answer

    queries = app.topic(place.source, value_deserializer="json")
    understood = app.topic(place.target, value_serializer="json")
    rows = app.dataframe(queries)
    rows = rows.apply(understand)
    rows.to_topic(understood)
    app.run()


if __name__ == "__main__":
    main()
