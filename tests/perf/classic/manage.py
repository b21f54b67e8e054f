"""`python -m tests.perf.classic.manage COMMAND`, as manage.py of any Django project."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.perf.classic.settings")
    execute_from_command_line(sys.argv)
