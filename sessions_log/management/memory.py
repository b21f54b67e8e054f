"""How the long-running processes keep their memory."""

import gc

# Batches make many thousands of objects that refer to no cycle and die together. At Python's usual threshold the
# collector walks them all several times a batch: a fifth of the recorder's time, measured.
_YOUNG_OBJECTS = 100_000


def spare_the_collector() -> None:
    """Let the collector pass over what start-up made, and run seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)
