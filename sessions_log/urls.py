"""The API of records."""

from django.urls import path

from sessions_log.views.health import LiveView, ReadyView
from sessions_log.views.receipts import EntryReceiptView, RequestReceiptView
from sessions_log.views.session_logs import SessionLogsView

urlpatterns = [
    path("api/v1/session-logs", SessionLogsView.as_view(), name="session-logs"),
    path("api/v1/receipts/requests/<uuid:request_id>", RequestReceiptView.as_view(), name="request-receipt"),
    path("api/v1/receipts/<uuid:entry_id>", EntryReceiptView.as_view(), name="entry-receipt"),
    path("healthz/live", LiveView.as_view(), name="live"),
    path("healthz/ready", ReadyView.as_view(), name="ready"),
]
