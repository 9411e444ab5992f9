# mypy: ignore-errors
# Its libraries are in an environment of its own (requirements.txt).
"""The webhook handler that a small team would write with Django and REST framework: the signature
is checked, the event is kept once, the order becomes paid; all in one transaction. It tells no
machine and keeps no books."""

import hashlib
import hmac
import os
import uuid

import django
from django.conf import settings
from django.utils import timezone

_URL = os.environ["PEER_DATABASE"].split("|")  # host, port, user, password, name
settings.configure(
    DEBUG=False,
    SECRET_KEY="of the bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": _URL[0], "PORT": _URL[1], "USER": _URL[2], "PASSWORD": _URL[3],
            "NAME": _URL[4],
            # Under ASGI each request has a thread of its own, and would leave its connection open.
            "CONN_MAX_AGE": None if os.environ["PEER_KEEPS_CONNECTIONS"] == "1" else 0,
        }
    },
)  # fmt: skip
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402  after setup
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Order(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    payment_id = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=16, default="pending", db_index=True)
    amount = models.IntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    expires_at = models.DateTimeField()

    class Meta:
        app_label = "shop"


class WebhookEvent(models.Model):
    event_id = models.CharField(max_length=64, unique=True)
    type = models.CharField(max_length=64)
    payload = models.JSONField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "shop"


class Webhook(APIView):
    def post(self, request):
        signed = hmac.new(os.environ["PEER_SECRET"].encode(), request.body, hashlib.sha256)
        if not hmac.compare_digest(
            signed.hexdigest(), request.headers.get("X-Razorpay-Signature", "")
        ):
            return Response({"error": "signature"}, status=400)
        event = request.data
        paid = event["payload"]["payment"]["entity"]
        with transaction.atomic():
            _kept, new = WebhookEvent.objects.get_or_create(
                event_id=request.headers["X-Razorpay-Event-Id"],
                defaults={"type": event["event"], "payload": event},
            )
            if new:
                order = Order.objects.select_for_update().get(payment_id=paid["id"])
                if order.status == "pending" and order.expires_at > timezone.now():
                    order.status = "paid"
                    order.save(update_fields=["status", "updated_at"])
        return Response({"status": "ok"})


urlpatterns = [path("webhooks/razorpay/bench", Webhook.as_view())]
if __name__ == "__main__":  # makes the tables
    with connection.schema_editor() as editor:
        editor.create_model(Order)
        editor.create_model(WebhookEvent)
else:
    application, asgi = get_wsgi_application(), get_asgi_application()
