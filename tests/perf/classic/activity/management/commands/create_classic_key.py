import hashlib
import secrets
from typing import Any

from django.core.management.base import BaseCommand

from tests.perf.classic.activity.models import Organization, Service, ServiceKey


class Command(BaseCommand):
    help = "Make the organization, the service and a key, and print the key alone."

    def handle(self, *args: Any, **options: Any) -> None:
        organization, _ = Organization.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
        service, _ = Service.objects.get_or_create(organization=organization, name="bench")
        prefix, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        ServiceKey.objects.create(
            service=service, prefix=prefix, secret_sha256=hashlib.sha256(secret.encode()).hexdigest()
        )
        self.stdout.write(f"{prefix}.{secret}")
