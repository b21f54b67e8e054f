"""Witnessed checkpoints on the portal's pages, and in the evidence that is taken from there."""

import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.integration.test_ledger_in_the_portal import LEDGER, LOGS, text_of
from tests.integration.test_portal_records import person, signed_in
from tests.integration.witnessed_ledger import Ledger
from tests.witnesses import RunningWitness, policy_of

pytestmark = pytest.mark.usefixtures("db")
pytest_plugins = ["tests.integration.witness_fixtures"]
VERIFIER = Path(__file__).resolve().parents[2] / "compliance" / "static" / "portal" / "muniment_verify.py"


def test_witness_stands_on_the_pages_and_under_the_evidence(
    own: Ledger, north: RunningWitness, settings: Settings, tmp_path: Path
) -> None:
    settings.WITNESS_POLICY = policy_of(north)
    entry = own.grow()
    client = signed_in(person(own.tenant))
    assert "0 of 1 have cosigned it, fewer than the policy asks for" in text_of(client.get(LEDGER))
    own.seek(settings.WITNESS_POLICY)
    size = own.latest.size
    own.grow()

    words = text_of(client.get(f"{LOGS}{entry}/"))
    assert north.key.name in words
    assert f"of {size} counted from 0" in words
    assert "0 of 1 have cosigned it" in text_of(client.get(LEDGER))
    own.seek(settings.WITNESS_POLICY)
    assert "1 of 1 have cosigned it: witnessed" in text_of(client.get(LEDGER))

    evidence, keys = tmp_path / "evidence.json", tmp_path / "keys"
    evidence.write_bytes(client.get(f"{LOGS}{entry}/evidence/").content)
    keys.write_bytes(client.get(f"{LEDGER}keys/").content)
    kept = tmp_path / "kept"
    kept.write_bytes(client.get(f"{LEDGER}{own.latest.pk}/note/").content)
    command = [sys.executable, "-I", str(VERIFIER), "entry", str(evidence), "--key", str(keys)]
    done = subprocess.run([*command, "--witness", str(north.key)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"witnessed by {north.key.name} at " in done.stdout
    assert kept.read_text().count("\N{EM DASH} ") == 2
