"""The embedded stack: real Kafka, Triton and Valkey, from pinned packages, as children of one process."""
