"""Tables: references point downwards, every table has its rights, and migrations are what the models say."""

from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import ForeignKey, Model

from compliance.adapters.roles import RIGHTS, ROLES

ROOT = Path(__file__).resolve().parent.parent.parent
ORDER = ("sessions_log", "ai_audit", "compliance")
OWN_MODELS = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in ORDER]
# Django's own log would keep changes in the clear: nobody may write it, so it stays empty.
UNUSED = {"django_admin_log"}


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda model: model._meta.label)
def test_foreign_keys_point_to_the_same_app_or_a_lower_one(model: type[Model]) -> None:
    own = ORDER.index(model._meta.app_label)
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey):
            label = field.related_model._meta.app_label
            assert label not in ORDER or ORDER.index(label) <= own, field


def test_every_table_has_its_rights() -> None:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert tables - UNUSED <= set(RIGHTS)
    assert set(RIGHTS) <= tables | {"django_migrations"}
    assert not UNUSED & set(RIGHTS)


def test_rights_are_given_to_roles_that_there_are() -> None:
    named = {role for rights in RIGHTS.values() for role in rights}
    assert {f"muniment_{role}" for role in named} <= set(ROLES)


def test_no_role_may_change_or_delete_evidence() -> None:
    for table in (
        "sessions_log_sessionlog",
        "sessions_log_leafbundle",
        "sessions_log_treenode",
        "sessions_log_checkpoint",
        "sessions_log_cosignature",
        "sessions_log_inbox",
        "sessions_log_outcome",
        "sessions_log_batch",
        "sessions_log_verification",
    ):
        assert set(RIGHTS[table].values()) <= {"SELECT", "INSERT", "SELECT, INSERT"}, table


def test_migrations_are_what_the_models_say() -> None:
    loader = MigrationLoader(None)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = detector.changes(graph=loader.graph)
    assert {label: [str(one) for one in made] for label, made in changes.items() if label in ORDER} == {}


def test_migrations_are_numbered_in_one_line() -> None:
    loader = MigrationLoader(None)
    assert loader.detect_conflicts() == {}
    for label in ORDER:
        numbers = sorted(path.name[:4] for path in (ROOT / label / "migrations").glob("[0-9]*.py"))
        assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_models_have_no_save_of_their_own() -> None:
    assert [model.__name__ for model in OWN_MODELS if "save" in vars(model) or "delete" in vars(model)] == []
