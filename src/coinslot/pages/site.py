"""What the pages know about the installation. Only app fills this in."""

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

WEBHOOK_MAX_BYTES = 256 * 1024


class Site(Struct, frozen=True, kw_only=True):
    """The installation: its name and version, its zone of time, and its limits."""

    name: str = "Coinslot"
    version: str = "0"
    base_url: str = "http://127.0.0.1:8000"  # the setting; no header of a client changes it
    zone: ZoneInfo = ZoneInfo("UTC")  # of outlets that have none, nor their merchant

    practice_folder: str = ""  # where mock gateways keep their books; empty: nobody practises here
    # Login, password, role: the demo alone signs people in by one click.
    demo_logins: tuple[tuple[str, str, str], ...] = ()
    support: str = ""  # the contact shown when a page does not work

    # A page that does not see "paid" asks the gateway after this, and then again and again.
    ask_gateway_after: timedelta = timedelta(seconds=5)
    # A wait shorter than this needs no countdown to the refund.
    countdown_after: timedelta = timedelta(seconds=10)

    live_comment_every: timedelta = timedelta(seconds=15)
    live_stream_life: timedelta = timedelta(minutes=10)
    # How soon a page of the console learns that its session is over: twice this at most.
    live_sessions_every: timedelta = timedelta(seconds=5)
    live_streams_max: int = 2000  # one more has to poll
    live_streams_per_network: int = 100  # one address of a carrier serves many phones
    live_streams_per_person: int = 50  # of the console: a page that is hidden has none

    orders_per_minute: int = 60  # from one address
    searches_per_minute: int = 30  # from one address
    references_per_minute: int = 6  # from one address: nobody finds a reference by trying

    # Where gateways keep the pictures of their codes; http origins are for sandboxes.
    image_sources: tuple[str, ...] = ("https:",)
    pictures_prefix: str = ""  # a CDN in front of our pictures: scheme and host, maybe a path
    # Errors that mean "try again in a moment": 503 instead of 500.
    outages: tuple[type[Exception], ...] = (OSError, TimeoutError)
    metrics_token: str | None = None  # asked as a bearer token at /metrics when set
    # Kind of outlet -> language -> name of a text -> what that kind's pages say instead.
    texts: Mapping[str, Mapping[str, Mapping[str, str]]] = {}
    mirror_language: bool = False  # ?lang=ar-XB turns English around, to see right-to-left pages

    def zone_of(self, name: str | None) -> ZoneInfo:
        """In which an outlet's times are shown and read."""
        return self.zone if name is None else ZoneInfo(name)
