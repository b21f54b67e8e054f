from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "tests.perf.classic.activity"
    label = "activity"
