"""What flows through Intentstream: events, topics, codecs and pure transformations.

Nothing in this package opens a socket, reads a clock or looks at the environment.
"""
