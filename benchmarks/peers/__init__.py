"""Other ways to do the enricher's work, each written as its own documentation would have it.

Every one reads the same queries, asks the same served model, publishes events in JSON to a topic of its
own, and commits what it has done. None has what the enricher has beyond that: see
`docs/performance.md`.
"""
