"""How the long-running processes treat memory and processor."""

import contextlib
import gc
import os
from pathlib import Path

# Batches make many thousands of objects that refer to no cycle and die together. At Python's usual threshold the
# collector walks them all several times a batch; docs/benchmarks.md has what that costs.
_YOUNG_OBJECTS = 100_000
_NICENESS = 10


def spare_the_collector() -> None:
    """Let the collector pass over what start-up made, and run seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)


def yield_to_the_web() -> None:
    """Give way where processors are scarce: services wait for the web process, for this one nobody does.

    Linux shares processors out between sessions first where autogroups are on (sched(7)), and heeds niceness only
    within one. A process that leads a session of its own says it for that, too.
    """
    os.nice(_NICENESS)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # not Linux, or without autogroups
            Path("/proc/self/autogroup").write_text(str(_NICENESS))
