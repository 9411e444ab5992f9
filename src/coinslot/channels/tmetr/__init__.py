"""Tmetr, the telemetry that commands coffee machines: its calls, without the room that sells.

Guarantee class G0: a command is sent once, and nobody says whether a cup came of it."""

from coinslot.channels.tmetr.build import Broker as Broker
from coinslot.channels.tmetr.build import Make as Make
from coinslot.channels.tmetr.build import Settings as Settings
from coinslot.channels.tmetr.build import Size as Size
from coinslot.channels.tmetr.client import Tmetr as Tmetr
from coinslot.channels.tmetr.client import connect as connect
from coinslot.channels.tmetr.parse import CodeError as CodeError
from coinslot.channels.tmetr.parse import Drink as Drink
from coinslot.channels.tmetr.parse import Heartbeat as Heartbeat
from coinslot.channels.tmetr.parse import MachineCode as MachineCode
from coinslot.channels.tmetr.parse import NoPrice as NoPrice
from coinslot.channels.tmetr.parse import Refused as Refused
from coinslot.channels.tmetr.parse import Silent as Silent
from coinslot.channels.tmetr.parse import Taken as Taken
from coinslot.channels.tmetr.parse import Unclear as Unclear
from coinslot.channels.tmetr.parse import read_code as read_code
