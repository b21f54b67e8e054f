#!/usr/bin/env python
"""Commands of the project; `python manage.py help` lists them."""

import os
import sys

from django.core.management import execute_from_command_line

from config.start import refusals_in_words

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with refusals_in_words():
        execute_from_command_line(sys.argv)
