"""The app of access, portal, retention, privacy and watch; and the portal as Django's admin."""

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig


class ComplianceConfig(AppConfig):
    """What officers do."""

    name = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        """Register the checks of an installation."""
        from compliance import checks  # noqa: F401 -- found by being imported, once models are loaded


class PortalAdminConfig(SimpleAdminConfig):
    """Django's admin with our own site; each app's admin package registers on it."""

    default_site = "compliance.admin.site.PortalSite"

    def ready(self) -> None:
        """Import the admin packages."""
        super().ready()
        autodiscover()
