"""What the portal does becomes a record that the recorder can take like any other."""

from datetime import UTC, datetime, timedelta

from sessions_log.domain.portal_action import Actor, PortalAction, portal_record
from sessions_log.domain.session_record import Window, decode_records, encode_records

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _action(**details: object) -> PortalAction:
    return PortalAction(
        action="admin.change",
        actor=Actor(user="root@host", session="command-1", agent="manage.py create_service_key"),
        organization_id=1,
        at=NOW,
        target=("service", "orders"),
        details=dict(details) or None,
    )


def test_record_of_an_action_passes_the_checks_of_the_intake() -> None:
    record = portal_record(_action(change="added"))
    assert decode_records(encode_records([record]), Window.around(NOW, back=timedelta(days=7))) == [record]


def test_two_deeds_are_two_records() -> None:
    assert portal_record(_action()).id != portal_record(_action()).id
