"""What verifications came to, and who was erased, is evidence too: only added to."""

from django.db import migrations

_TABLES = ("sessions_log_verification", "sessions_log_tombstone")


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_log", "0011_entries_by_seq"),
    ]

    operations = [
        migrations.RunSQL(f"SELECT muniment_guard('{table}')", f"DROP TRIGGER evidence ON {table}") for table in _TABLES
    ]
