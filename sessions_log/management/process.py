"""How the long-running processes treat memory and processor."""

import gc
import os

# Batches make many thousands of objects that refer to no cycle and die together. At Python's usual threshold the
# collector walks them all several times a batch; docs/benchmarks.md has what that costs.
_YOUNG_OBJECTS = 100_000
_NICENESS = 5


def spare_the_collector() -> None:
    """Let the collector pass over what start-up made, and run seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)


def yield_to_the_web() -> None:
    """Give way where processors are scarce: services wait for the web process, for this one nobody does."""
    os.nice(_NICENESS)
