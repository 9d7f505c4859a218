"""The channels with the settings of infra/messaging.json, and the operations of the archive on them."""

from collections.abc import Mapping
from typing import Any

from docs.asyncapi import inbound, outbound
from shared.messages import INBOUND_EVENTS, INBOUND_REJECTED, NOTICE_EVENTS, entities
from shared.wire.inbound import InboundType

_OUTBOUND = tuple(map(outbound.NAME.format, outbound.MEANINGS))
_INBOUND = tuple(inbound.NAME.format(type_.value) for type_ in InboundType)

DESCRIPTIONS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    NOTICE_EVENTS: (
        "Every change of every notice",
        "Sent at least once, and in order for each notice. A subscription may deliver them in another order. Each"
        " team has a subscription of its own, and receives with the role *Azure Service Bus Data Receiver*."
        " `x-service-bus` has the filters.",
        _OUTBOUND,
    ),
    INBOUND_EVENTS: (
        "Facts and declarations of services of pagoPA",
        "GPD, the payments node and the settlement send here, with the role *Azure Service Bus Data Sender*. The order"
        " does not matter, and a repetition changes nothing. A cancellation or closure of a notice that is not"
        " published yet is delivered again.\n\n"
        "- The `id` of an event is also the id of its AMQP message. It is unique among all producers: begin it with the"
        " name of your system. Send the same id when you repeat.\n"
        "- A declaration (`publish`, `cancel`, `close`) that is older than a known one of its kind changes nothing. One"
        " whose `time` is more than 5 minutes ahead is rejected. A receipt or line with a later `time` is taken.\n"
        "- No answer comes. Messages that can never be applied go to the queue `inbound-rejected`.",
        _INBOUND,
    ),
    INBOUND_REJECTED: (
        "Inbound messages that can never be applied",
        "Operators read them, and send them again or discard them.",
        (inbound.REJECTED,),
    ),
}
"""Title, description and messages of each queue and topic."""

_OPERATIONS = (
    ("relay_events", "send", NOTICE_EVENTS, "Send each change of a notice, within seconds."),
    ("consume_events", "receive", INBOUND_EVENTS, "Apply the facts and declarations of services of pagoPA."),
    ("reject_event", "send", INBOUND_REJECTED, "Keep a message that can never be applied, with the reason."),
)


def channels() -> dict[str, Any]:
    """Return the channels, by the names of the queues and the topic."""
    described = {}
    for kind, found in entities().items():
        for name, settings in found.items():
            if name not in DESCRIPTIONS:
                raise LookupError(f"{name} of infra/messaging.json is not described in docs/asyncapi/channels.py")
            title, description, messages = DESCRIPTIONS[name]
            described[name] = {
                "address": name,
                "title": title,
                "description": description,
                "servers": [{"$ref": "#/servers/service-bus"}],
                "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in messages},
                "x-service-bus": {"kind": kind.removesuffix("s"), **settings},
            }
    return {name: described[name] for name in DESCRIPTIONS}


def operations() -> dict[str, Any]:
    """Return the operations of the archive. A team that subscribes receives from where the archive sends."""
    return {
        name: {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": summary,
            "messages": [{"$ref": f"#/channels/{channel}/messages/{each}"} for each in DESCRIPTIONS[channel][2]],
        }
        for name, action, channel, summary in _OPERATIONS
    }
