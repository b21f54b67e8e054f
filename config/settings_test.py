"""Settings of the tests: the product's own, with quick password hashing. The servers' URLs come from conftest."""

import os

os.environ.setdefault("MUNIMENT_SECRET_KEY", "development-only: what the tests sign with, long enough for every check")
os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
os.environ.setdefault("VALKEY_URL", "redis://127.0.0.1:1/0")

from config.settings import *  # noqa: F403 -- the environment must be set first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
