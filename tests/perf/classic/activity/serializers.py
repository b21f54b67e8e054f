# ruff: noqa: N815  (the names of the wire form)
from datetime import datetime, timedelta
from typing import Any

from django.core.validators import RegexValidator
from django.db import IntegrityError
from django.utils import timezone
from rest_framework import serializers

from tests.perf.classic.activity.models import SessionLog

MOST_AHEAD = timedelta(minutes=5)
MOST_BACK = timedelta(days=7)


class TargetSerializer(serializers.Serializer[SessionLog]):
    type = serializers.CharField(source="target_type", max_length=128)
    id = serializers.CharField(source="target_id", max_length=512)


class SessionLogListSerializer(serializers.ListSerializer[SessionLog]):
    # The stubs type what a list serializer makes as one row.
    def create(self, validated_data: list[dict[str, Any]]) -> list[SessionLog]:  # type: ignore[override]
        """Store a request's records in one INSERT; what is stored already is left as it is."""
        return SessionLog.objects.bulk_create(
            [SessionLog(**fields) for fields in validated_data], ignore_conflicts=True
        )


class SessionLogSerializer(serializers.ModelSerializer[SessionLog]):
    entryId = serializers.UUIDField(source="pk", read_only=True)
    id = serializers.CharField(source="client_id", max_length=128, required=False, allow_null=True)
    userId = serializers.CharField(source="user_id", max_length=256, required=False)
    sessionId = serializers.CharField(source="session_id", max_length=256)
    recordedAt = serializers.DateTimeField(source="recorded_at", read_only=True)
    action = serializers.CharField(max_length=128, validators=[RegexValidator(r"^[a-z_]+(\.[a-z0-9_]+)+$")])
    service = serializers.CharField(source="service.name", read_only=True)
    target = TargetSerializer(source="*", required=False)
    ipAddress = serializers.CharField(source="ip_address", max_length=255, required=False)
    userAgent = serializers.CharField(source="user_agent", max_length=1024, required=False)
    duration = serializers.IntegerField(source="duration_ms", min_value=0, required=False, allow_null=True)
    aiModelUsed = serializers.CharField(source="ai_model_used", max_length=128, required=False)
    traceId = serializers.CharField(source="trace_id", max_length=128, required=False)

    class Meta:
        model = SessionLog
        list_serializer_class = SessionLogListSerializer
        fields = [
            "entryId",
            "id",
            "userId",
            "sessionId",
            "timestamp",
            "recordedAt",
            "action",
            "outcome",
            "service",
            "sensitive",
            "target",
            "ipAddress",
            "userAgent",
            "duration",
            "aiModelUsed",
            "traceId",
            "sequence",
            "metadata",
        ]

    def validate_timestamp(self, value: datetime) -> datetime:
        now = timezone.now()
        if not now - MOST_BACK <= value <= now + MOST_AHEAD:
            raise serializers.ValidationError("Must be at most 7 days back and 5 minutes ahead.")
        return value

    def validate_metadata(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise serializers.ValidationError("Must be an object.")
        return value

    def create(self, validated_data: dict[str, Any]) -> SessionLog:
        """Store one record; when its client id is stored already, give the row that is there."""
        try:
            return SessionLog.objects.create(**validated_data)
        except IntegrityError:
            return SessionLog.objects.get(
                organization=validated_data["organization"], client_id=validated_data.get("client_id")
            )
