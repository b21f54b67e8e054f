"""The app of AI interactions."""

from django.apps import AppConfig


class AIAuditConfig(AppConfig):
    """What an AI was asked and answered."""

    name = "ai_audit"
    verbose_name = "AI audit"
