"""Ways in over HTTP: the records' API, its description, and the portal."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from sessions_log.views.api_docs import api_docs, openapi

urlpatterns = [
    path("", include("sessions_log.urls")),  # first: found soonest
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("api/docs", api_docs, name="api-docs"),
    path("api/openapi.json", openapi, name="openapi"),
    path("admin/", admin.site.urls),
]

handler400 = "sessions_log.views.errors.bad_request"
handler404 = "sessions_log.views.errors.not_found"
handler500 = "sessions_log.views.errors.server_error"
