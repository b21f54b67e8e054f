from typing import cast

from django.core.exceptions import ValidationError as InvalidValue
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.perf.classic.activity.models import ServiceKey
from tests.perf.classic.activity.queries import session_logs
from tests.perf.classic.activity.serializers import SessionLogSerializer


class SessionLogList(APIView):
    """POST stores one record or a list of them; GET is the list page: newest first, filters, keyset."""

    def post(self, request: Request) -> Response:
        service = cast(ServiceKey, request.user).service
        serializer = SessionLogSerializer(data=request.data, many=isinstance(request.data, list))
        serializer.is_valid(raise_exception=True)
        saved = serializer.save(organization=service.organization, service=service)
        rows = saved if isinstance(saved, list) else [saved]
        receipts = [{"id": row.client_id, "entryId": row.pk, "status": "accepted"} for row in rows]
        return Response({"accepted": len(receipts), "receipts": receipts}, status=status.HTTP_201_CREATED)

    def get(self, request: Request) -> Response:
        service = cast(ServiceKey, request.user).service
        try:
            rows, cursor = session_logs(service.organization_id, request.query_params)
        except (ValueError, InvalidValue) as error:
            raise ValidationError("A parameter cannot be read.") from error
        return Response({"results": SessionLogSerializer(rows, many=True).data, "next": next_url(request, cursor)})


def next_url(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    params = request.query_params.copy()
    params["cursor"] = cursor
    return request.build_absolute_uri(f"?{params.urlencode()}")
