"""Synthetic records shaped like logs of web applications, clusters, code hosts and sign-in services."""

from collections.abc import Callable
from random import Random

from sessions_log.domain.demo.cloud_trails import a_time
from sessions_log.domain.demo.devices import DESKTOP_AGENTS, mobile_address
from sessions_log.domain.demo.form import change, record_uuid, session_token, short_token, trace_id

Record = dict[str, object]

_NAMES = (
    "alex",
    "billie",
    "casey",
    "devon",
    "emery",
    "frankie",
    "harper",
    "jordan",
    "kai",
    "morgan",
    "robin",
    "taylor",
)
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
_AGENTS = (
    *DESKTOP_AGENTS,
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_SAFARI} Version/18.6 Safari/604.1",
    f"Mozilla/5.0 (Linux; Android 10; K) {_BLINK} Chrome/139.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} Chrome/114.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:115.0) Gecko/20100101 Firefox/115.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
    "PostmanRuntime/7.43.0",
    "okhttp/4.12.0",
    "axios/1.7.9",
    "Go-http-client/1.1",
    "python-requests/2.32.3",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
)
_ROUTES = (
    "/api/v1/users/{id}",
    "/api/v1/orders",
    "/api/v1/orders/{id}",
    "/api/v2/search",
    "/login",
    "/logout",
    "/settings/profile",
    "/admin/users",
    "/api/v1/reports/export",
    "/graphql",
    "/healthz",
    "/oauth/token",
)
_RESOURCES = (
    "pods",
    "secrets",
    "configmaps",
    "deployments",
    "services",
    "serviceaccounts",
    "nodes",
    "namespaces",
    "clusterrolebindings",
    "leases",
    "endpoints",
    "jobs",
    "cronjobs",
    "ingresses",
)
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
_NAMESPACES = ("default", "kube-system", "production", "staging", "monitoring", "ingress-nginx")
_REPOSITORY_ACTIONS = (
    "repo.create",
    "repo.access",
    "repo.add_member",
    "org.add_member",
    "org.update_member",
    "protected_branch.policy_override",
    "git.clone",
    "git.push",
    "workflows.created_workflow_run",
    "personal_access_token.create",
    "hook.create",
    "team.add_repository",
    "secret_scanning_alert.create",
    "oauth_application.create",
)
_SCOPES = (
    "openid profile email",
    "openid offline_access",
    "read:user",
    "repo",
    "read write",
    "api.read api.write",
)
_GRANTS = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
)


def platform_record(rng: Random) -> Record:
    shape, weight = zip(*_SHAPES, strict=True)
    action, metadata, target = rng.choices(shape, weight)[0](rng)
    return _enveloped(rng, action, metadata, target)


def _enveloped(rng: Random, action: str, metadata: Record, target: tuple[str, str]) -> Record:
    luck = rng.random()
    record: Record = {
        "id": str(record_uuid(rng)),
        "userId": rng.choice(
            (f"{rng.choice(_NAMES)}@example.com", str(record_uuid(rng)), f"user_{rng.randrange(10**6)}")
        ),
        "sessionId": rng.choice((session_token(rng), f"sess_{short_token(rng, 24)}", str(record_uuid(rng)))),
        "timestamp": a_time(rng),
        "action": action,
        "metadata": metadata,
        "ipAddress": mobile_address(rng) if luck < 0.3 else f"203.0.113.{rng.randrange(256)}",
        "userAgent": rng.choice(_AGENTS),
        "duration": rng.randrange(1, 3000),
        "outcome": "success" if luck < 0.9 else rng.choice(("failure", "denied")),
        "target": {"type": target[0], "id": target[1]},
    }
    if luck < 0.4:
        record["traceId"] = trace_id(rng)
    return record


Shape = tuple[str, Record, tuple[str, str]]


def _web(rng: Random) -> Shape:
    method = rng.choice(("GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE"))
    route = rng.choice(_ROUTES)
    metadata: Record = {
        "requestId": str(record_uuid(rng)),
        "method": method,
        "path": route,
        "status": rng.choice((200, 200, 200, 201, 204, 301, 304, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503)),
        "bytes": rng.randrange(20, 90_000),
        "referer": rng.choice(("", "https://app.example.com/", "https://app.example.com/dashboard")),
        "host": "api.example.com",
        "protocol": rng.choice(("HTTP/1.1", "HTTP/2.0")),
        "query": rng.choice(({}, {"page": rng.randrange(1, 30), "limit": 50}, {"sort": "-created_at"})),
    }
    return "api.call", metadata, ("endpoint", route)


def _edit(rng: Random) -> Shape:
    number = rng.randrange(1, 99_999)
    changes = [
        change(
            *rng.choice(
                (
                    ("status", "open", "closed"),
                    ("email_verified", False, True),
                    ("role", "member", "admin"),
                    ("updated_at", None, "2024-11-05T10:00:00Z"),
                    ("name", "old", "new"),
                )
            )
        )
        for _ in range(rng.randrange(1, 4))
    ]
    metadata: Record = {
        "request_id": f"req_{short_token(rng, 14)}",
        "model": "order",
        "object_id": number,
        "changes": changes,
        "source": "web",
        "correlation_id": str(record_uuid(rng)),
    }
    return (
        rng.choice(("record.update", "record.create", "record.view", "record.delete")),
        metadata,
        ("order", str(number)),
    )


def _cluster(rng: Random) -> Shape:
    resource, namespace, verb = rng.choice(_RESOURCES), rng.choice(_NAMESPACES), rng.choice(_VERBS)
    name = f"{rng.choice(('web', 'api', 'worker', 'cache'))}-{short_token(rng, 5).lower()}"
    metadata: Record = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": rng.choice(("Metadata", "Metadata", "Request", "RequestResponse")),
        "auditID": str(record_uuid(rng)),
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/{namespace}/{resource}/{name}?limit=500&resourceVersion=0",
        "verb": verb,
        "user": {
            "username": f"system:serviceaccount:{namespace}:default",
            "groups": [
                "system:serviceaccounts",
                f"system:serviceaccounts:{namespace}",
                "system:authenticated",
            ],
        },
        "sourceIPs": [f"10.0.{rng.randrange(256)}.{rng.randrange(256)}"],
        "objectRef": {"resource": resource, "namespace": namespace, "name": name, "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": rng.choice((200, 200, 201, 403, 404, 409))},
        "annotations": {
            "authorization.k8s.io/decision": rng.choice(("allow", "allow", "forbid")),
            "authorization.k8s.io/reason": "",
        },
    }
    return "api.call", metadata, (resource, f"{namespace}/{name}")


def _code_host(rng: Random) -> Shape:
    repository = f"example-org/{rng.choice(('web', 'api', 'infra', 'mobile', 'docs'))}"
    event = rng.choice(_REPOSITORY_ACTIONS)
    metadata: Record = {
        "@timestamp": rng.randrange(1_700_000_000_000, 1_730_000_000_000),
        "_document_id": session_token(rng)[:22],
        "action": event,
        "actor": rng.choice(_NAMES),
        "actor_id": rng.randrange(10**7),
        "actor_location": {"country_code": rng.choice(("US", "DE", "GB", "NL", "IN"))},
        "business": "example",
        "org": "example-org",
        "repo": repository,
        "repository_public": False,
        "visibility": rng.choice(("private", "internal", "public")),
        "operation_type": rng.choice(("access", "create", "modify", "remove")),
        "programmatic_access_type": rng.choice(
            ("GitHub App server-to-server token", "Fine-grained personal access token", "OAuth access token")
        ),
        "hashed_token": session_token(rng),
    }
    return f"custom.{event}", metadata, ("repository", repository)


def _sign_in(rng: Random) -> Shape:
    client, grant = f"client_{rng.randrange(40)}", rng.choice(_GRANTS)
    good = rng.random() < 0.85
    metadata: Record = {
        "client_id": client,
        "grant_type": grant,
        "scope": rng.choice(_SCOPES),
        "issuer": "https://login.example.com/",
        "audience": "https://api.example.com",
        "connection": rng.choice(("Username-Password-Authentication", "google-oauth2", "saml", "azure-ad", "passkey")),
        "redirect_uri": "https://app.example.com/callback",
        "response_type": "code",
        "code_challenge_method": "S256",
        "mfa": rng.choice(("none", "totp", "webauthn", "push")),
        "error": None
        if good
        else rng.choice(("invalid_grant", "access_denied", "invalid_client", "login_required", "expired_token")),
        "error_description": None if good else "Wrong email or password.",
        "expires_in": 3600,
    }
    action = rng.choice(("auth.login", "auth.token_issue", "auth.mfa")) if good else "auth.login_failed"
    return action, metadata, ("client", client)


def _assistant(rng: Random) -> Shape:
    conversation = f"conv_{short_token(rng, 20)}"
    metadata: Record = {
        "provider": rng.choice(("anthropic", "openai", "mistral", "bedrock")),
        "model": rng.choice(
            (
                "claude-sonnet-4-5",
                "claude-haiku-4-5",
                "gpt-4o",
                "gpt-4o-mini",
                "gpt-5-mini",
                "mistral-large-latest",
            )
        ),
        "temperature": rng.choice((0, 0.2, 0.7, 1)),
        "max_tokens": rng.choice((512, 1024, 4096)),
        "usage": {
            "input_tokens": rng.randrange(20, 9000),
            "output_tokens": rng.randrange(10, 2000),
            "total_tokens": rng.randrange(30, 11_000),
        },
        "finish_reason": rng.choice(("stop", "length", "tool_calls", "end_turn", "content_filter")),
        "stream": rng.random() < 0.5,
        "conversation_id": conversation,
    }
    return rng.choice(("ai.prompt", "ai.response", "ai.tool_call")), metadata, ("conversation", conversation)


_SHAPES: tuple[tuple[Callable[[Random], Shape], int], ...] = (
    (_web, 5),
    (_edit, 4),
    (_cluster, 3),
    (_code_host, 2),
    (_sign_in, 4),
    (_assistant, 2),
)
