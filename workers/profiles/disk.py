"""The table of profiles on disk: Faust's RocksDB store, made to fit our table.

Faust's own writes only inside a stream, remembers how far it has read the changelog although a
worker that was cut off may have moved that mark beyond what others wrote, and takes 2 GiB of cache
a partition. Here a write goes to the partition that the table names, every assignment recovers from
the whole changelog, and the memory of a partition is bounded.
"""

from typing import Any, Final

from faust.stores.rocksdb import Store
from faust.types import TP

_OPTIONS: Final = {
    "write_buffer_size": 16 * 2**20,
    "max_write_buffer_number": 2,
    "target_file_size_base": 16 * 2**20,
    "block_cache_size": 32 * 2**20,
}
"""In bytes: a partition takes up to about 64 MB of memory."""


class DiskStore(Store):
    """Profiles in RocksDB, one database a partition of the changelog."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "options": dict(_OPTIONS), "driver": "rocksdict"})

    def _set(self, key: bytes, value: bytes | None) -> None:
        partition: Any = self.table.partition_for_key(key)  # ours always names one
        self._key_index[key] = partition
        self._db_for_partition(partition).put(key, value)

    def persisted_offset(self, tp: TP) -> int | None:  # noqa: ARG002 (Faust's signature)
        """None: recover from all of the changelog."""
        return None

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """Remembers nothing."""
