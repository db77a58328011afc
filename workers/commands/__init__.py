"""The commands of `intentstream`, one module for each group.

Each module has `register(app)`. It is imported by every call of the command line, also for
`--help`: what is slow to import (Kafka's client, Faust, gRPC) goes inside the command's function.
"""
