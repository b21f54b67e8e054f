"""Random cases without a time limit for each: the machine may be busy with something else."""

from hypothesis import settings

settings.register_profile("muniment", deadline=None, print_blob=True)
settings.load_profile("muniment")
