"""Settings of every process, read from the environment; nothing here has an unsafe default."""

from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from config.connections import BoundedConnection
from config.env import ROOT, Environment, broker, database
from config.production import refuse_unsafe_start
from config.witnesses import witness_policy

env = Environment()

ENVIRONMENT = env.choice("MUNIMENT_ENV", ("development", "production"), "development")
IS_PRODUCTION = ENVIRONMENT == "production"
if IS_PRODUCTION:
    refuse_unsafe_start(env)
DEBUG = False
SECRET_KEY = env.text("MUNIMENT_SECRET_KEY")
PUBLIC_URL = env.text("MUNIMENT_PUBLIC_URL", f"http://localhost:{env.whole('PORT', 8000)}").rstrip("/")
IS_HTTPS = PUBLIC_URL.startswith("https://")
TRUSTED_PROXIES = env.networks("MUNIMENT_TRUSTED_PROXIES")  # `config.proxies` alone believes what they say
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = sorted({_public.hostname or "", "localhost", "127.0.0.1"} - {""})
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

MUNIMENT_HOME = env.home
# What ledgers' names begin with, until their first key is made; from then on the name stays with the key.
LEDGER_ORIGIN = env.text("MUNIMENT_LEDGER_ORIGIN", _public.hostname or "localhost")
IS_LEDGER_PUBLIC = env.choice("MUNIMENT_PUBLIC_LEDGER", ("0", "1"), "0") == "1"
GAP_GRACE_MINUTES = env.whole("MUNIMENT_GAP_GRACE_MINUTES", 15, most=43_200)
WITNESS_POLICY = witness_policy(env)
KEYRING_FOLDER = env.text("MUNIMENT_KEYRING", str(env.home / "keyring"))

# Whether two holders of a right, named on the console, may stand for an approval in the portal.
IS_CONSOLE_APPROVAL = env.flag("MUNIMENT_CONSOLE_APPROVAL", not IS_PRODUCTION)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "csp",
    "compliance.apps.ComplianceConfig",
    "compliance.apps.PortalAdminConfig",
    "ai_audit.apps.AIAuditConfig",
    "sessions_log.apps.SessionsLogConfig",
]

# The portal's chain. The API has the short one below: `config.wsgi` chooses by path.
MIDDLEWARE = [
    "sessions_log.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "compliance.middleware.current_organization",
    "sessions_log.middleware.database_errors",
]
API_MIDDLEWARE = [
    "sessions_log.middleware.request_id",
    "sessions_log.middleware.api_headers",
    "sessions_log.middleware.known_host",
    "sessions_log.middleware.options",
    "sessions_log.middleware.database_errors",
]
if IS_HTTPS:
    API_MIDDLEWARE.insert(1, "sessions_log.middleware.KeysOverHttpsOnly")
API_PREFIXES = ("/api/v1/", "/healthz/")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- storage -------------------------------------------------------------------------------------------------
DATABASES = {"default": database("DATABASE_URL", env.text("DATABASE_URL"))}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"]["pool"] = {
    "min_size": 0,
    "max_size": env.whole("MUNIMENT_POOL", 8),
    "timeout": 3,
    "connection_class": BoundedConnection,
    # Gives up an attempt soon instead of waiting ever longer for the next: back as soon as the database is.
    "reconnect_timeout": 1,
}
if owner_url := env.optional("DATABASE_URL_OWNER"):
    DATABASES["owner"] = database("DATABASE_URL_OWNER", owner_url)
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

VALKEY_URL = env.text("VALKEY_URL")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": VALKEY_URL,
        "KEY_PREFIX": "muniment",
        "OPTIONS": {
            # Never pickle: who can write to the cache could run code here.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
        },
    }
}

# --- who signs in, and how long ------------------------------------------------------------------------------
AUTH_USER_MODEL = "compliance.User"
AUTHENTICATION_BACKENDS = ["compliance.authentication.GrantBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# Browsers take `__Host-` and Secure cookies on http://localhost too; plain http elsewhere gets no session at all.
SESSION_COOKIE_NAME = "__Host-sessionid"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"

# --- transport and browser -----------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = IS_HTTPS  # for people; a program that sends a key in the clear is refused
SECURE_SSL_HOST = _public.netloc
SECURE_HSTS_SECONDS = 63_072_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = False
# Preloading binds the whole domain, for years, in lists that browsers bring along: its owner may decide that, at
# the proxy; a product may not.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
STATIC_URL = "/static/"
STATIC_ROOT = None  # WhiteNoise serves what the finders find
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

# --- language and time ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env.text("MUNIMENT_TIME_ZONE", "UTC")  # of what people are shown; stored times are UTC

# --- API -----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["sessions_log.authentication.ServiceKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["sessions_log.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["sessions_log.serializers.rendering.MsgspecRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "sessions_log.serializers.rendering.OnlyJson",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "sessions_log.serializers.problems.as_problem",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Muniment",
    "DESCRIPTION": "Services send session logs here, ask what became of them, and read them back.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "SERVERS": [{"url": PUBLIC_URL}],
    "POSTPROCESSING_HOOKS": ["sessions_log.serializers.schema.with_components"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATION_PARAMETERS": False,
}

# --- jobs: scheduled and long work only; records never pass through here --------------------------------------
_broker = broker(VALKEY_URL)
CELERY_BROKER_URL = _broker["BROKER_URL"]
CELERY_BROKER_USE_SSL = _broker.get("BROKER_USE_SSL")
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    "partitions": {"task": "sessions_log.tasks.make_partitions_ahead", "schedule": 3600.0},
    "inbox-days": {"task": "sessions_log.tasks.drop_finished_inbox_days", "schedule": 3600.0},
    "verify-parts": {"task": "sessions_log.tasks.verify_next_parts", "schedule": 600.0},
    "verify-everything": {"task": "sessions_log.tasks.verify_everything", "schedule": 60.0},
    "health": {"task": "sessions_log.tasks.watch_health", "schedule": 30.0},
    # Dropped rather than queued where the worker is behind: the next one asks for the same.
    "witnesses": {"task": "sessions_log.tasks.seek_cosignatures", "schedule": 10.0, "options": {"expires": 10}},
}

# --- what reads the batches -----------------------------------------------------------------------------------
FOLLOWERS = ["sessions_log.followers.counters.Counters", "sessions_log.followers.sessions.Sessions"]

# --- logs of the processes: JSON lines, no values of records --------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logs.JsonFormatter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "json"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "celery": {"level": "WARNING"},  # else some lines for every run of a job
        "django.request": {"level": "ERROR"},
        "django.db.backends": {"level": "WARNING"},
        # It would quote the host that was sent. Without a handler of its own, Python's last resort prints it.
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
    },
}
