"""`manage.py check --deploy`: what must hold of the settings of an installation, whatever changed them."""

from collections.abc import Iterable

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

YEAR_S = 31_536_000


@register(Tags.security, deploy=True)
def browsers_stay_on_https(**_: object) -> Iterable[CheckMessage]:
    """HSTS for a year at least (ASVS 3.4.1)."""
    if settings.SECURE_HSTS_SECONDS < YEAR_S:
        yield Error("HSTS is off or ends within a year.", hint="Set an https MUNIMENT_PUBLIC_URL.", id="muniment.E001")


@register(Tags.security, deploy=True)
def forwarded_headers_are_settled_once(**_: object) -> Iterable[CheckMessage]:
    """Django would believe X-Forwarded-* from anybody (ASVS 4.1.3): the step around it asks who says so."""
    names = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT")
    for name in names:
        if getattr(settings, name):
            yield Error(f"{name} is set.", hint="Name proxies in MUNIMENT_TRUSTED_PROXIES.", id="muniment.E002")


@register(Tags.security, deploy=True)
def cookies_are_bound_to_the_host(**_: object) -> Iterable[CheckMessage]:
    """`__Host-` cookies: Secure, of this host alone, for all paths (ASVS 3.3.1, 3.3.3)."""
    for name in ("SESSION_COOKIE", "CSRF_COOKIE"):
        whole = (getattr(settings, f"{name}_{part}") for part in ("SECURE", "HTTPONLY"))
        if not getattr(settings, f"{name}_NAME").startswith("__Host-") or not all(whole):
            yield Error(f"{name} is not a Secure, HttpOnly __Host- cookie.", id="muniment.E003")


@register(Tags.security, deploy=True)
def pages_run_no_foreign_code(**_: object) -> Iterable[CheckMessage]:
    """A Content-Security-Policy that begins with 'none' and has no unsafe-* (ASVS 3.4.3)."""
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    words = [str(word) for sources in directives.values() for word in sources]
    if list(directives.get("default-src", ())) != ["'none'"] or any("unsafe" in word for word in words):
        yield Error("The Content-Security-Policy is weakened.", id="muniment.E004")


@register(Tags.security, deploy=True)
def passwords_are_hashed_slowly(**_: object) -> Iterable[CheckMessage]:
    """The tests' quick hashing must not reach an installation (ASVS 11.4.2)."""
    if any("MD5" in hasher or "Unsalted" in hasher for hasher in settings.PASSWORD_HASHERS):
        yield Error("Passwords are hashed as the tests do it.", id="muniment.E005")
