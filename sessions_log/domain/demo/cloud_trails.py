"""Synthetic records shaped like cloud audit trails. Every account, key, name and address is invented."""

from datetime import UTC, datetime, timedelta
from random import Random

from sessions_log.domain.demo.cloud_agents import INVOKERS, cloud_agent
from sessions_log.domain.demo.cloud_parameters import (
    ACCOUNTS,
    BUCKETS,
    PARAMETERS,
    ROLES,
    USERS,
    access_key,
    hex_digits,
)
from sessions_log.domain.demo.cloud_vocabulary import ERRORS, EVENTS, REGIONS
from sessions_log.domain.demo.form import record_uuid

Record = dict[str, object]

_CIPHERS = ("TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_256_GCM_SHA384")
_READING = ("Get", "List", "Describe", "Lookup", "Head", "BatchGet", "Query")


def a_time(rng: Random) -> str:
    """Some second of 2024."""
    second = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(366 * 86_400))
    return second.isoformat().replace("+00:00", "Z")


def cloud_record(rng: Random) -> Record:
    """One record in wire form, its metadata in one of the three usual lengths."""
    service = rng.choices(tuple(EVENTS), weights=_WEIGHTS)[0]
    name, *parameters = rng.choice(EVENTS[service]).split()
    who, event = _identity(rng), _event(rng, service, name, parameters)
    fault = rng.choice(ERRORS) if rng.random() < 0.14 else None
    if fault:
        event.update(_error(rng, fault, who=str(who["arn"]), call=f"{service}:{name}"))
    return {
        "id": str(record_uuid(rng)),
        "userId": who["arn"] if rng.random() < 0.2 else who.get("userName", who["arn"]),
        "sessionId": who["accessKeyId"],
        "timestamp": a_time(rng),
        "action": _ACTIONS.get(name, "api.call"),
        "metadata": rng.choices((_long, _middle, _short), weights=(1, 2, 5))[0](rng, event, who),
        "ipAddress": rng.choice(INVOKERS) if rng.random() < 0.12 else _address(rng),
        "userAgent": cloud_agent(rng),
        "outcome": _outcome(fault),
        "target": {"type": service, "id": _target(event)},
    }


def _error(rng: Random, fault: tuple[str, str], *, who: str, call: str) -> Record:
    code, message = fault
    what = f"arn:aws:{call.partition(':')[0]}:::{rng.choice(BUCKETS)}"
    because = f"because no identity-based policy allows the {call} action"
    return {"errorCode": code, "errorMessage": message.format(who=who, call=call, what=what, because=because)}


def _outcome(fault: tuple[str, str] | None) -> str:
    if fault is None:
        return "success"
    return "denied" if "Denied" in fault[0] or "Unauthorized" in fault[0] else "failure"


_ACTIONS = {
    "ConsoleLogin": "auth.login",
    "GetSecretValue": "secret.read",  # pragma: allowlist secret
    "AssumeRole": "auth.token_issue",
    "GetObject": "file.download",
    "PutObject": "file.upload",
    "CreateUser": "user.create",
    "CreateRole": "role.create",
}
_HEAVY = {
    "s3": 12,
    "iam": 10,
    "ec2": 14,
    "sts": 8,
    "kms": 5,
    "ssm": 5,
    "secretsmanager": 5,
    "logs": 3,
    "cloudtrail": 3,
    "lambda": 4,
}
_WEIGHTS = tuple(_HEAVY.get(service, 1) for service in EVENTS)


def _address(rng: Random) -> str:
    return rng.choice(
        (
            f"192.0.2.{rng.randrange(256)}",
            f"198.51.100.{rng.randrange(256)}",
            f"203.0.113.{rng.randrange(256)}",
            f"10.0.{rng.randrange(256)}.{rng.randrange(256)}",
        )
    )


def _identity(rng: Random) -> dict[str, object]:
    account = rng.choice(ACCOUNTS)
    if rng.random() < 0.5:
        name = rng.choice(USERS)
        return {
            "type": "IAMUser",
            "principalId": access_key(rng, "AIDA"),
            "arn": f"arn:aws:iam::{account}:user/{name}",
            "accountId": account,
            "accessKeyId": access_key(rng, "AKIA"),
            "userName": name,
        }
    role, session = rng.choice(ROLES), rng.choice(("session", "i-0abcd1234efgh5678", rng.choice(USERS)))
    principal = access_key(rng, "AROA")
    issuer = {
        "type": "Role",
        "principalId": principal,
        "arn": f"arn:aws:iam::{account}:role/{role}",
        "accountId": account,
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "accessKeyId": access_key(rng, "ASIA"),
        "sessionContext": {
            "sessionIssuer": issuer,
            "webIdFederationData": {},
            "attributes": {
                "creationDate": "2024-05-07T08:00:00Z",
                "mfaAuthenticated": rng.choice(("false", "false", "true")),
            },
        },
    }


def _event(rng: Random, service: str, name: str, parameters: list[str]) -> dict[str, object]:
    asked = {parameter: PARAMETERS[parameter](rng) if parameter in PARAMETERS else {} for parameter in parameters}
    return {
        "eventVersion": rng.choice(("1.08", "1.08", "1.09", "1.10")),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": rng.choice(REGIONS),
        "requestParameters": asked or None,
        "responseElements": None
        if name.startswith(_READING)
        else rng.choice((None, {"_return": True}, {"requestId": str(record_uuid(rng))})),
        "readOnly": name.startswith(_READING),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "eventCategory": "Management",
        "requestID": str(record_uuid(rng)),
        "eventID": str(record_uuid(rng)),
    }


def _target(event: dict[str, object]) -> str:
    asked = event["requestParameters"]
    values = [value for value in asked.values() if isinstance(value, str) and value] if isinstance(asked, dict) else []
    return values[0] if values else str(event["eventSource"])


def _long(rng: Random, event: dict[str, object], who: dict[str, object]) -> dict[str, object]:
    source = str(event["eventSource"])
    tls = {
        "tlsVersion": rng.choice(("TLSv1.2", "TLSv1.3")),
        "cipherSuite": rng.choice(_CIPHERS),
        "clientProvidedHostHeader": source.replace(".", f".{event['awsRegion']}.", 1),
    }
    more: dict[str, object] = {}
    if source.startswith("s3."):
        more["additionalEventData"] = {
            "SignatureVersion": "SigV4",
            "CipherSuite": rng.choice(_CIPHERS),
            "bytesTransferredIn": 0,
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": hex_digits(rng, 32),
            "bytesTransferredOut": rng.randrange(100, 9000),
        }
    return {**event, **more, "userIdentity": who, "recipientAccountId": who["accountId"], "tlsDetails": tls}


def _middle(rng: Random, event: dict[str, object], who: dict[str, object]) -> dict[str, object]:
    kept = {name: value for name, value in event.items() if name not in ("eventVersion", "managementEvent")}
    return {**kept, "userIdentityType": who["type"], "accountId": who["accountId"], "mfa": rng.random() < 0.2}


def _short(rng: Random, event: dict[str, object], who: dict[str, object]) -> dict[str, object]:
    wanted = (
        "eventSource",
        "eventName",
        "awsRegion",
        "requestParameters",
        "errorCode",
        "errorMessage",
        "readOnly",
    )
    return {name: event[name] for name in wanted if name in event}
