"""The API of records."""

from django.urls import path

from sessions_log.views.health import LiveView, ReadyView
from sessions_log.views.ledgers import CheckpointView, ConsistencyView, KeysView, ProofView, TileView
from sessions_log.views.receipts import EntryReceiptView, RequestReceiptView
from sessions_log.views.session_logs import SessionLogsView

urlpatterns = [
    path("api/v1/session-logs", SessionLogsView.as_view(), name="session-logs"),
    path("api/v1/receipts/requests/<uuid:request_id>", RequestReceiptView.as_view(), name="request-receipt"),
    path("api/v1/receipts/<uuid:entry_id>", EntryReceiptView.as_view(), name="entry-receipt"),
    path("api/v1/ledgers/<slug:organization>/checkpoint", CheckpointView.as_view(), name="ledger-checkpoint"),
    path("api/v1/ledgers/<slug:organization>/tile/<path:place>", TileView.as_view(), name="ledger-tile"),
    path("api/v1/ledgers/<slug:organization>/proof/<uuid:entry_id>", ProofView.as_view(), name="ledger-proof"),
    path("api/v1/ledgers/<slug:organization>/consistency", ConsistencyView.as_view(), name="ledger-consistency"),
    path("api/v1/ledgers/<slug:organization>/keys", KeysView.as_view(), name="ledger-keys"),
    path("healthz/live", LiveView.as_view(), name="live"),
    path("healthz/ready", ReadyView.as_view(), name="ready"),
]
