"""Recording what the portal itself does, in the transaction of the deed."""

from sessions_log.commands.intake import put_records
from sessions_log.domain.portal_action import PORTAL_SERVICE, PortalAction, portal_record
from sessions_log.ports import Ports


def record_action(action: PortalAction, ports: Ports) -> None:
    """Put the action's record into the inbox, within the transaction at hand.

    Raises what the inbox and the keyring raise: then the deed does not happen either.
    """
    sender = ports.organizations.sender(action.organization_id, PORTAL_SERVICE)
    put_records([portal_record(action)], sender, None, action.at, ports.keyring, ports.inbox)
