"""The values that calls of cloud services take: accounts, names and resources, all invented."""

import string
from collections.abc import Callable
from random import Random

from sessions_log.domain.demo.cloud_vocabulary import REGIONS
from sessions_log.domain.demo.form import record_uuid

ACCOUNTS = ("111122223333", "123456789012", "444455556666", "555555555555", "999988887777")
USERS = (
    "admin",
    "alice",
    "bob",
    "ci-deploy",
    "backup",
    "auditor",
    "developer",
    "terraform",
    "dev-user",
    "svc-reports",
)
ROLES = (
    "OrganizationAccountAccessRole",
    "AWSServiceRoleForConfig",
    "AWSServiceRoleForAutoScaling",
    "AWSServiceRoleForSupport",
    "AWSReservedSSO_AdministratorAccess_0123456789abcdef",  # pragma: allowlist secret
    "lambda-execution-role",
    "ec2-instance-role",
    "eks-node-role",
    "deploy-role",
    "read-only",
)
_POLICIES = (
    "AdministratorAccess",
    "ReadOnlyAccess",
    "SecurityAudit",
    "AmazonS3ReadOnlyAccess",
    "PowerUserAccess",
    "IAMFullAccess",
)
BUCKETS = (
    "example-bucket",
    "example-logs",
    "my-app-assets",
    "backup-archive",
    "cloudtrail-logs",
    "terraform-state",
    "data-lake-raw",
)
_KEY_LETTERS = string.ascii_uppercase + "234567"
_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
)
_GRANT = '{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}]}'


def hex_digits(rng: Random, length: int = 17) -> str:
    return f"{rng.getrandbits(length * 4):0{length}x}"


def _items(name: str, value: str) -> dict[str, object]:
    return {"items": [{name: value}]}


def _role_arn(rng: Random) -> str:
    return f"arn:aws:iam::{rng.choice(ACCOUNTS)}:role/{rng.choice(ROLES)}"


def _key_arn(rng: Random) -> str:
    return f"arn:aws:kms:{rng.choice(REGIONS)}:{rng.choice(ACCOUNTS)}:key/{record_uuid(rng)}"


def _log_key(rng: Random) -> str:
    day = f"2024/{rng.randrange(1, 13):02d}/{rng.randrange(1, 29):02d}"
    return f"AWSLogs/{rng.choice(ACCOUNTS)}/CloudTrail/{rng.choice(REGIONS)}/{day}/{hex_digits(rng, 8)}.json.gz"


def _encryption_context(rng: Random) -> dict[str, str]:
    place = f"{rng.choice(REGIONS)}:{rng.choice(ACCOUNTS)}"
    return rng.choice(
        (
            {"aws:s3:arn": f"arn:aws:s3:::{rng.choice(BUCKETS)}"},
            {"SecretARN": f"arn:aws:secretsmanager:{place}:secret:example"},
            {"PARAMETER_ARN": f"arn:aws:ssm:{place}:parameter/app/token"},
        )
    )


def access_key(rng: Random, prefix: str) -> str:
    return prefix + "".join(rng.choices(_KEY_LETTERS, k=16))


# What a parameter of this name holds; the rest are empty objects, as where nothing was asked.
PARAMETERS: dict[str, Callable[[Random], object]] = {
    "bucketName": lambda rng: f"{rng.choice(BUCKETS)}-{rng.choice(ACCOUNTS)}",
    "Host": lambda rng: f"{rng.choice(BUCKETS)}-{rng.choice(ACCOUNTS)}.s3.{rng.choice(REGIONS)}.amazonaws.com",
    "key": _log_key,
    "policyDocument": lambda rng: _GRANT,
    "bucketPolicy": lambda rng: {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*"}],
    },
    "assumeRolePolicyDocument": lambda rng: _TRUST,
    "userName": lambda rng: rng.choice(USERS),
    "roleName": lambda rng: rng.choice(ROLES),
    "instanceProfileName": lambda rng: rng.choice(ROLES),
    "policyName": lambda rng: rng.choice(_POLICIES),
    "policyArn": lambda rng: f"arn:aws:iam::aws:policy/{rng.choice(_POLICIES)}",
    "roleArn": _role_arn,
    "role": _role_arn,
    "principalArn": _role_arn,
    "accessKeyId": lambda rng: access_key(rng, "AKIA"),
    "roleSessionName": lambda rng: rng.choice(
        (
            "session",
            f"i-{hex_digits(rng)}",
            f"aws-go-sdk-{rng.randrange(10**18, 2 * 10**18)}",
            "botocore-session",
            "GitHubActions",
        )
    ),
    "durationSeconds": lambda rng: rng.choice((900, 3600, 43200)),
    "instanceId": lambda rng: f"i-{hex_digits(rng)}",
    "instanceIds": lambda rng: [f"i-{hex_digits(rng)}"],
    "instancesSet": lambda rng: rng.choice(({}, _items("instanceId", f"i-{hex_digits(rng)}"))),
    "volumeId": lambda rng: f"vol-{hex_digits(rng)}",
    "snapshotId": lambda rng: f"snap-{hex_digits(rng)}",
    "imageId": lambda rng: f"ami-{hex_digits(rng)}",
    "vpcId": lambda rng: f"vpc-{hex_digits(rng)}",
    "subnetId": lambda rng: f"subnet-{hex_digits(rng)}",
    "groupId": lambda rng: f"sg-{hex_digits(rng)}",
    "groupName": lambda rng: rng.choice(("default", "launch-wizard-1", "web-sg", "bastion")),
    "cidrBlock": lambda rng: f"10.{rng.randrange(256)}.0.0/16",
    "instanceType": lambda rng: rng.choice(("t2.micro", "t3.micro", "t3.medium", "m5.large", "p2.xlarge")),
    "attribute": lambda rng: rng.choice(
        ("userData", "disableApiTermination", "enableDnsSupport", "enableDnsHostnames")
    ),
    "attributeType": lambda rng: "CREATE_VOLUME_PERMISSION",
    "filterSet": lambda rng: rng.choice(
        ({}, {}, {"items": [{"name": "vpc-id", "valueSet": _items("value", f"vpc-{hex_digits(rng)}")}]})
    ),
    "ownersSet": lambda rng: _items("owner", rng.choice(("self", "amazon"))),
    "ipPermissions": lambda rng: {
        "items": [
            {
                "ipProtocol": "tcp",
                "fromPort": 22,
                "toPort": 22,
                "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
            }
        ]
    },
    "maxResults": lambda rng: rng.choice((5, 10, 50, 100, 1000)),
    "maxRecords": lambda rng: 100,
    "maxItems": lambda rng: rng.choice((100, 1000)),
    "limit": lambda rng: rng.choice((50, 100)),
    "keyId": _key_arn,
    "encryptionAlgorithm": lambda rng: "SYMMETRIC_DEFAULT",
    "encryptionContext": _encryption_context,
    "keySpec": lambda rng: "AES_256",
    "secretId": lambda rng: f"{rng.choice(('prod', 'dev', 'staging'))}/app/database-{rng.randrange(50)}",
    "name": lambda rng: rng.choice(("/app/config/token", "management-events", "my-cluster", "default", "my-trail")),
    "withDecryption": lambda rng: True,
    "documentName": lambda rng: rng.choice(("AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-UpdateSSMAgent")),
    "logGroupName": lambda rng: rng.choice(
        ("/aws/lambda/my-function", "/aws/eks/my-cluster/cluster", "/ecs/web", "aws-cloudtrail-logs")
    ),
    "logStreamName": lambda rng: (
        f"2024/{rng.randrange(1, 13):02d}/{rng.randrange(1, 29):02d}/[$LATEST]{hex_digits(rng, 32)}"
    ),
    "functionName": lambda rng: rng.choice(("my-function", "image-resize", "log-forwarder", "api-handler")),
    "runtime": lambda rng: rng.choice(("python3.9", "python3.12", "nodejs18.x", "provided.al2")),
    "trailName": lambda rng: "management-events",
    "includeShadowTrails": lambda rng: False,
    "passwordResetRequired": lambda rng: False,
    "acl": lambda rng: "",
    "policy": lambda rng: "",
    "location": lambda rng: "",
    "versioning": lambda rng: "",
    "encryption": lambda rng: "",
    "publicAccessBlock": lambda rng: "",
    "logging": lambda rng: "",
    "tagging": lambda rng: "",
    "lifecycle": lambda rng: "",
    "clientRequestToken": lambda rng: str(record_uuid(rng)),
}
