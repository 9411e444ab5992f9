# mypy: ignore-errors
# Its libraries are in an environment of its own (requirements.txt).
"""dj-stripe as its documentation sets it up: the signature is checked, the request, its event and
the payment are kept as rows. It asks Stripe for the payment that an event is about: here the answer
comes from this process, so that no network is measured."""

import json
import os
import uuid

import django
import stripe
from django.conf import settings
from django.utils import timezone

_URL = os.environ["PEER_DATABASE"].split("|")  # host, port, user, password, name
_KEY = "sk_test_" + "b" * 24
ENDPOINT = uuid.UUID(int=1)
settings.configure(
    DEBUG=False,
    SECRET_KEY="of the bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djstripe"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    STRIPE_TEST_SECRET_KEY=_KEY,
    STRIPE_LIVE_MODE=False,
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": _URL[0], "PORT": _URL[1], "USER": _URL[2], "PASSWORD": _URL[3],
            "NAME": _URL[4], "CONN_MAX_AGE": None,
        }
    },
)  # fmt: skip
django.setup()

from django.core.management import call_command  # noqa: E402  after setup
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402


class Answers(stripe.HTTPClient):
    """Stripe, as far as it is asked: the payment as its event told it."""

    name = "bench"

    def request(self, method, url, headers, post_data=None):
        said = {
            "id": url.partition("?")[0].rpartition("/")[2], "object": "payment_intent",
            "amount": 4000, "amount_capturable": 0, "amount_received": 4000,
            "canceled_at": None, "cancellation_reason": None, "capture_method": "automatic",
            "client_secret": "", "confirmation_method": "automatic",
            "created": int(timezone.now().timestamp()), "currency": "inr", "customer": None,
            "description": None, "livemode": False, "metadata": {}, "on_behalf_of": None,
            "payment_method": None, "payment_method_types": ["card"], "receipt_email": None,
            "setup_future_usage": None, "shipping": None, "statement_descriptor": None,
            "status": "succeeded", "transfer_group": None,
        }  # fmt: skip
        return json.dumps(said), 200, {}

    def close(self):
        pass


stripe.default_http_client = Answers()
urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]


def _set_up():
    from djstripe.models import Account, APIKey, WebhookEndpoint

    call_command("migrate", verbosity=0)
    account = Account.objects.create(id="acct_bench")
    key, _ = APIKey.objects.get_or_create_by_api_key(_KEY)
    key.djstripe_owner_account = account
    key.save()
    WebhookEndpoint.objects.create(
        id="we_bench", djstripe_uuid=ENDPOINT, secret=os.environ["PEER_SECRET"], livemode=False,
        djstripe_owner_account=account, enabled_events=["*"], status="enabled",
        url="https://shop.example.com/stripe/webhook/",
    )  # fmt: skip


if __name__ == "__main__":
    _set_up()
else:
    application = get_wsgi_application()
