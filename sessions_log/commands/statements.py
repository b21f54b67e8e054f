"""Making statements: they go into the inbox in the transaction of what they state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sessions_log.commands.intake import sealed_request
from sessions_log.domain.entry_id import KIND_STATEMENT
from sessions_log.domain.portal_action import PORTAL_SERVICE
from sessions_log.domain.statements import Statement, StatementType, new_statement
from sessions_log.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStatement:
    """What is to be stated in an organization's ledger; `details` say nothing personal."""

    organization_id: int
    type: StatementType
    details: Mapping[str, Any]
    at: datetime


def make_statement(command: MakeStatement, ports: Ports) -> Statement:
    """Put a statement into the inbox, within the transaction at hand; the recorder gives it its place in the ledger.

    Raises UnfitStatement, and what inbox and keyring raise: then what it states does not happen either.
    """
    sender = ports.organizations.sender(command.organization_id, PORTAL_SERVICE)
    statement = new_statement(sender.organization_uid, command.type, command.details, command.at)
    request = sealed_request(KIND_STATEMENT, statement.body, statement.id, sender, command.at, ports.keyring)
    ports.inbox.put(request)
    return statement
