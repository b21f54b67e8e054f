"""Ways in over HTTP: the records' API, its description, and the portal."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("sessions_log.urls")),
    path(
        "api/openapi.json",
        SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="openapi",
    ),
    path("admin/", admin.site.urls),
]
