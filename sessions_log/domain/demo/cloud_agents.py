"""User agents of cloud tools, with the range of versions that is met."""

from random import Random

_PYTHONS = ("3.8.10", "3.8.17", "3.9.16", "3.9.18", "3.10.12", "3.11.4", "3.11.8", "3.12.3", "3.13.1")
_KERNELS = (
    "5.4.0-1103-aws",
    "5.10.184-175.731.amzn2.x86_64",
    "5.15.0-1039-aws",
    "5.15.90.1-microsoft-standard-WSL2",
    "5.15.0-76-generic",
    "6.1.34-59.116.amzn2023.x86_64",
    "6.2.0-1015-azure",
    "6.5.0-1022-aws",
    "6.8.0-40-generic",
)
_TERRAFORM = "(+https://www.terraform.io)"
_PROVIDER = "(+https://registry.terraform.io/providers/hashicorp/aws)"
_COMMANDS = (
    "s3.ls",
    "s3.cp",
    "s3.sync",
    "s3api.list-buckets",
    "s3api.get-bucket-acl",
    "sts.get-caller-identity",
    "sts.assume-role",
    "iam.list-users",
    "iam.create-access-key",
    "ec2.describe-instances",
    "ssm.start-session",
    "secretsmanager.get-secret-value",
    "logs.filter-log-events",
)
_CONSOLE_SDK = (
    "aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10.184 OpenJDK_64-Bit_Server_VM/25.372-b08 "
    "java/1.8.0_372 vendor/Oracle_Corporation cfg/retry-mode/standard"
)
_CONSOLES = (
    "AWS Internal",
    "console.amazonaws.com",
    "signin.amazonaws.com",
    _CONSOLE_SDK,
    f"[S3Console/0.4, {_CONSOLE_SDK}]",
)
INVOKERS = (
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "lambda.amazonaws.com",
    "ec2.amazonaws.com",
    "autoscaling.amazonaws.com",
    "cloudformation.amazonaws.com",
    "guardduty.amazonaws.com",
    "ssm.amazonaws.com",
    "access-analyzer.amazonaws.com",
    "resource-explorer-2.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "delivery.logs.amazonaws.com",
)


def cloud_agent(rng: Random) -> str:
    return rng.choices(
        (_boto, _new_boto, _old_cli, _new_cli, _terraform, _go, _console, _other),
        weights=(6, 4, 3, 3, 4, 3, 3, 2),
    )[0](rng)


def _boto(rng: Random) -> str:
    minor, patch = rng.choice((20, 24, 26, 28)), rng.randrange(1, 170)
    return (
        f"Boto3/1.{minor}.{patch} Python/{rng.choice(_PYTHONS)} Linux/{rng.choice(_KERNELS)} "
        f"Botocore/1.{minor + 3}.{patch}"
    )


def _new_boto(rng: Random) -> str:
    version = f"1.{rng.choice((34, 35, 37, 40))}.{rng.randrange(1, 140)}"
    kernel, python = rng.choice(_KERNELS), rng.choice(_PYTHONS)
    mode = rng.choice(("legacy", "standard", "adaptive"))
    return (
        f"Boto3/{version} md/Botocore#{version} ua/2.0 os/linux#{kernel} md/arch#x86_64 "
        f"lang/python#{python} md/pyimpl#CPython cfg/retry-mode#{mode} Botocore/{version}"
    )


def _old_cli(rng: Random) -> str:
    system = rng.choice(("x86_64.ubuntu.22", "x86_64.amzn.2", "x86_64.kali.2023", "x86_64.debian.12"))
    return (
        f"aws-cli/2.{rng.randrange(4, 16)}.{rng.randrange(0, 35)} Python/{rng.choice(_PYTHONS)} "
        f"Linux/{rng.choice(_KERNELS)} exe/{system} prompt/off command/{rng.choice(_COMMANDS)}"
    )


def _new_cli(rng: Random) -> str:
    own, runtime = _version(rng, 2, (17, 31)), _version(rng, 0, (21, 29))
    system = rng.choice(("22.6.0", "23.5.0", "24.1.0"))
    return (
        f"aws-cli/{own} md/awscrt#{runtime} ua/2.0 os/macos#{system} "
        f"md/arch#arm64 lang/python#{rng.choice(_PYTHONS)} md/pyimpl#CPython cfg/retry-mode#standard "
        f"md/installer#exe md/prompt#off md/command#{rng.choice(_COMMANDS)}"
    )


def _terraform(rng: Random) -> str:
    return (
        f"APN/1.0 HashiCorp/1.0 Terraform/{_version(rng, 1, (1, 9))} {_TERRAFORM} "
        f"terraform-provider-aws/{rng.choice((3, 4, 5))}.{rng.randrange(1, 80)}.0 {_PROVIDER} "
        f"aws-sdk-go/1.44.{rng.randrange(100, 330)} (go{_version(rng, 1, (18, 22))}; linux; amd64)"
    )


def _go(rng: Random) -> str:
    version, toolchain = _version(rng, 1, (16, 30)), _version(rng, 1, (19, 23))
    system = rng.choice(("linux", "macos", "windows"))
    return (
        f"aws-sdk-go-v2/{version} os/{system} lang/go#{toolchain} md/GOOS#{system} md/GOARCH#amd64 "
        f"api/{rng.choice(('sts', 's3', 'iam', 'ec2', 'ssm', 'kms'))}#{version}"
    )


def _version(rng: Random, major: int, minors: tuple[int, int]) -> str:
    return f"{major}.{rng.randint(*minors)}.{rng.randrange(10)}"


def _console(rng: Random) -> str:
    return rng.choice(_CONSOLES)


def _other(rng: Random) -> str:
    script, go = "linux/v18.16.0", "aws-sdk-go/1.44.260 (go1.20.4; linux; amd64)"
    return rng.choice(
        (
            f"aws-sdk-js/2.{rng.randrange(900, 1500)}.0 {script} promise",
            f"aws-sdk-nodejs/2.{rng.randrange(900, 1500)}.0 {script} exec-env/AWS_Lambda_nodejs16.x promise",
            f"aws-sdk-java/2.20.{rng.randrange(10, 99)} Linux/5.10.184 OpenJDK_64-Bit_Server_VM/17.0.7",
            f"amazon-ssm-agent/3.2.{rng.randrange(500, 1999)}.0 {go}",
            f"eks.amazonaws.com karpenter.sh-v0.{rng.randrange(28, 37)}.0 {go}",
            f"python-requests/2.{rng.randrange(25, 33)}.{rng.randrange(0, 4)}",
        )
    )
