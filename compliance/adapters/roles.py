"""Database roles: one for each process, with just the rights that it needs.

`ROLES` and `RIGHTS` say all of it; `apply` makes the database agree. Run by the owner, who needs CREATEROLE and
no more. No role here owns a table, and none may update or delete evidence.
"""

from collections.abc import Mapping

from psycopg import Connection, sql

# name -> may sign in. `intake` is a role that web's intake pool changes into.
ROLES = {
    "muniment_intake": False,
    "muniment_web": True,
    "muniment_recorder": True,
    "muniment_follower": True,
    "muniment_worker": True,
    "muniment_beat": True,
    "muniment_retention": True,
}

_R = "SELECT"
_A = "SELECT, INSERT"
_W = "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"
_KEYED = "SELECT, UPDATE (epoch, lookup, sealed), DELETE"

RIGHTS: Mapping[str, Mapping[str, str]] = {
    "sessions_log_inbox": {
        "intake": "INSERT",
        "web": _A,
        "recorder": _R,
        "follower": "INSERT",
        "worker": _A,
        "retention": "INSERT",
    },
    "sessions_log_outcome": {"web": _R, "recorder": _A, "worker": _R},
    "sessions_log_conflict": {"web": _R, "recorder": _A},
    "sessions_log_quarantinedrequest": {
        "web": "SELECT, UPDATE (retried_at)",
        "recorder": _A,
        "worker": _R,
        "retention": _R,
    },
    "sessions_log_recorderposition": {"web": _R, "recorder": "SELECT, UPDATE", "follower": _R, "worker": _R},
    "sessions_log_batch": {"web": _R, "recorder": _A, "follower": _R, "worker": _R},
    "sessions_log_batchspan": {"web": _R, "recorder": _A, "follower": _R, "worker": _R},
    "sessions_log_ledgerhead": {"web": _R, "recorder": _W, "worker": _R},
    "sessions_log_leafbundle": {"web": _R, "recorder": _A, "worker": _R},
    "sessions_log_treenode": {"web": _R, "recorder": _A, "worker": _R},
    "sessions_log_checkpoint": {"web": _R, "recorder": _A, "worker": _R},
    "sessions_log_statement": {"web": _R, "recorder": _A, "worker": _R, "retention": _R},
    "sessions_log_cosignature": {"web": _R, "worker": _A},
    "sessions_log_witnessstanding": {"web": _R, "worker": _W},
    "sessions_log_leaftail": {"web": _R, "recorder": "SELECT, INSERT, DELETE", "worker": _R},
    "sessions_log_sessionlog": {"web": _R, "recorder": _A, "follower": _R, "worker": _R, "retention": _R},
    # FOR KEY SHARE asks for UPDATE on some column: `created_at` means nothing.
    "sessions_log_subject": {
        "web": _R,
        "recorder": "SELECT, INSERT, UPDATE (created_at)",
        "worker": _R,
        "retention": "SELECT, UPDATE (epoch, lookup), DELETE",
    },
    "sessions_log_subjectkey": {
        "web": _R,
        "recorder": _A,
        "worker": _R,
        "retention": "SELECT, UPDATE (epoch, wrapped), DELETE",
    },
    "sessions_log_subjectlink": {"web": _R, "recorder": _A, "follower": _R, "retention": "SELECT, DELETE"},
    "sessions_log_session": {
        "web": _R,
        "recorder": "SELECT, INSERT, UPDATE (subject_id)",
        "worker": _R,
        "retention": "SELECT, UPDATE (epoch, lookup, sealed, subject_id), DELETE",
    },
    "sessions_log_sessionsequence": {"web": _R, "recorder": _W},
    "sessions_log_target": {"web": _R, "recorder": _A, "worker": _R, "retention": _KEYED},
    "sessions_log_address": {"web": _R, "recorder": _A, "worker": _R, "retention": _KEYED},
    "sessions_log_tombstone": {"web": _R, "follower": _R, "worker": _R, "retention": _A},
    "sessions_log_organization": {
        "web": "SELECT, INSERT, UPDATE (name, accepts_back_days)",
        "recorder": _R,
        "follower": _R,
        "worker": _R,
        "retention": "SELECT, UPDATE (epoch, old_epoch, erasures)",
    },
    "sessions_log_service": {"web": _W, "recorder": _R, "follower": _R, "worker": _R, "retention": _R},
    "sessions_log_servicekey": {"web": _W},
    "sessions_log_verification": {"web": _A, "worker": _A},
    "sessions_log_verificationposition": {"web": _R, "worker": _ALL},
    "sessions_log_jobrun": {"web": _R, "worker": _A},
    "sessions_log_finding": {"web": _R, "recorder": _W, "follower": _W, "worker": _W},
    "sessions_log_followerposition": {"web": _R, "follower": _ALL, "worker": _R},
    "sessions_log_minutecounter": {"web": _R, "follower": _ALL, "worker": _R},
    "sessions_log_facet": {"web": _R, "follower": _ALL},
    "sessions_log_sessionsummary": {"web": _R, "follower": _ALL, "retention": "SELECT, DELETE"},
    "compliance_user": {"web": _W, "worker": _R, "retention": _R},
    "compliance_user_groups": {"web": _R},
    "compliance_user_user_permissions": {"web": _R},
    "compliance_grant": {"web": _W, "worker": _R, "retention": _R},
    "auth_group": {"web": _R},
    "auth_group_permissions": {"web": _R},
    "auth_permission": {"web": _R},
    "django_content_type": {"web": _R, "worker": _R},
    "django_session": {"web": _ALL, "worker": "SELECT, DELETE"},
    "django_migrations": dict.fromkeys(("web", "recorder", "follower", "worker", "beat", "retention"), _R),
}

FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "muniment_make_month(date)": ("web", "recorder", "worker"),
    "muniment_make_day(date)": ("web", "recorder", "worker"),
    "muniment_drop_inbox_day(date)": ("worker",),
    "muniment_drop_outcome_day(date)": ("worker",),
}


def make_roles(connection: Connection, passwords: Mapping[str, str]) -> None:
    """Create what is missing; set the passwords given, by role name without `muniment_`."""
    existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
    for name, may_login in ROLES.items():
        login = sql.SQL("LOGIN" if may_login else "NOLOGIN")
        if name not in existing:
            connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(name), login))
        if password := passwords.get(name.removeprefix("muniment_")):
            # Hashed here: servers log statements of this kind, and no log may hold a password.
            verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(verifier.decode()))
            )
    connection.execute("GRANT muniment_intake TO muniment_web")


def grant_rights(connection: Connection) -> None:
    """Make the rights on every table just what `RIGHTS` says."""
    roles = sql.SQL(", ").join(map(sql.Identifier, ROLES))
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, roles))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(roles))
    connection.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(roles))
    connection.execute(sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(roles))
    for table, rights in RIGHTS.items():
        for role, verbs in rights.items():
            statement = sql.SQL("GRANT {} ON {} TO {}").format(
                sql.SQL(verbs), sql.Identifier(table), sql.Identifier(f"muniment_{role}")
            )
            connection.execute(statement)
    for function, holders in FUNCTIONS.items():
        for role in holders:
            statement = sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(
                sql.SQL(function), sql.Identifier(f"muniment_{role}")
            )
            connection.execute(statement)
