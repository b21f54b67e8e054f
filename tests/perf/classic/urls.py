from django.urls import path

from tests.perf.classic.activity.views import SessionLogList

urlpatterns = [path("api/v1/session-logs", SessionLogList.as_view(), name="session-logs")]
