"""`/api/v1/session-logs`: services send here, and read back what they may."""

from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_log import wiring
from sessions_log.commands.intake import AcceptSessionLogs, Receipts, accept_session_logs
from sessions_log.domain.json_body import MalformedJson
from sessions_log.domain.service_key import KnownKey
from sessions_log.domain.session_record import TooManyRecords
from sessions_log.permissions import key_of
from sessions_log.ports import InboxUnavailable, KeyringUnavailable, NeverPermitted, OverLimit
from sessions_log.queries.session_logs import session_log_page
from sessions_log.serializers.problems import Problem
from sessions_log.serializers.receipts import receipts_body, rejections
from sessions_log.serializers.rendering import json_response
from sessions_log.serializers.schema import read_session_logs, send_session_logs
from sessions_log.serializers.session_logs import page_body, parse_search, sender_of
from sessions_log.views.bodies import read_body

_LONGEST_IDEMPOTENCY_KEY = 255


class SessionLogsView(APIView):
    """Send session logs (`ingest`), read them (`read`; who and what with `identities`)."""

    scopes: ClassVar[dict[str, str]] = {"POST": "ingest", "GET": "read"}

    @send_session_logs
    def post(self, request: Request) -> HttpResponse:
        """Store up to 1,000 records; 202 with a receipt for each once they are durable."""
        key = key_of(request)
        body, is_lines = read_body(request._request)
        command = AcceptSessionLogs(
            body=body,
            is_lines=is_lines,
            sender=sender_of(key),
            idempotency_key=_idempotency_key(request),
            at=timezone.now(),
        )
        receipts = self._accept(command, key)
        if not receipts.accepted:
            detail = "No record was accepted." if receipts.receipts else "There is no record in the body."
            raise Problem(422, detail, errors=rejections(receipts))
        return json_response(receipts_body(receipts), 202)

    def _accept(self, command: AcceptSessionLogs, key: KnownKey) -> Receipts:
        try:
            return accept_session_logs(command, wiring.keyring(), wiring.limited_inbox(key))
        except MalformedJson as error:
            raise Problem(400, f"The body cannot be read: {error}.") from None
        except TooManyRecords as error:
            raise Problem(413, f"{error}.") from None
        except (InboxUnavailable, KeyringUnavailable):
            raise Problem(503, "The records cannot be stored now; none was.", retry_after_s=2) from None
        except NeverPermitted as error:
            raise Problem(
                413, f"The key may send {error.per_minute} records a minute: send fewer in one request."
            ) from None
        except OverLimit as error:
            raise Problem(
                429, "The key's limit of records per minute is used up.", retry_after_s=error.retry_after_s
            ) from None

    @read_session_logs
    def get(self, request: Request) -> Response:
        """Session logs, newest first, by exact values; `next` is the URL of the next page."""
        key = key_of(request)
        with_identities = "identities" in key.scopes
        search = parse_search(request.query_params, key)
        page = session_log_page(search, wiring.opener(key.organization_uid, with_identities=with_identities))
        return Response(page_body(page, request, with_identities=with_identities))


def _idempotency_key(request: Request) -> str | None:
    value = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if value is not None and not 0 < len(value) <= _LONGEST_IDEMPOTENCY_KEY:
        raise Problem(400, f"Idempotency-Key must have 1 to {_LONGEST_IDEMPOTENCY_KEY} characters.")
    return value
