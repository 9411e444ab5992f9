"""Takes off the network what nobody will ever act on again, so that worlds which cannot differ
any more are counted once. Exact: no step of server or device reads such a message.
"""

from .network import Message, arriving, forget
from .rules import Rules
from .state import Row, World

UP = ("ACCEPT", "REJECT", "RESULT", "STATUS", "HELLO")
DOWN = ("OFFER", "GO", "QUERY", "EVACK")


def without_unread(world: World, rules: Rules) -> World:
    """The same world with a shorter list of messages under way."""
    net = world.net
    for kind in UP:
        for message in arriving(net, kind):
            if _server_is_past(message, world.row, rules):
                net = forget(net, message)
    if _device_is_past(world, rules):
        for kind in DOWN:
            for message in arriving(net, kind):
                net = forget(net, message)
    return world if net == world.net else world._replace(net=net)


def _server_is_past(message: Message, row: Row, rules: Rules) -> bool:
    """Settled rows hear nothing; ACCEPT and REJECT speak to one offer, and only before GO."""
    if row.settled:
        return "a drop taken back" not in rules.trusts
    if message.kind == "ACCEPT" or (message.kind == "REJECT" and not _rejects_last(rules)):
        comes_back = rules.reoffers_in_doubt or not rules.requeue_fenced
        awaited = row.state in ("queued", "offered") or comes_back
        return not awaited or message.seq < row.seq + (row.state == "queued")
    return False


def _rejects_last(rules: Rules) -> bool:
    return "REJECT after GO" in rules.trusts


def _device_is_past(world: World, rules: Rules) -> bool:
    """A dead device; or one that forgot the unit, cannot be replaced any more and is not asked."""
    if world.device.motor == "dead":
        return True
    evicted = world.device.record == "evicted" and "FORGOTTEN" not in rules.trusts
    return evicted and world.wipes >= rules.wipes
