"""A topic: each of its subscriptions gets a copy of the messages that its filter admits."""

from emulators.servicebus.content import Content
from emulators.servicebus.entities import TopicSettings
from emulators.servicebus.queue import Queue
from emulators.servicebus.refusals import not_implemented


class Topic:
    """The subscriptions of a topic, each with its queue."""

    def __init__(self, settings: TopicSettings, queues: dict[str, Queue]) -> None:
        """Take the queues of the subscriptions, by the names of the subscriptions."""
        self._settings = settings
        self._queues = queues

    def publish(self, content: Content, number: int) -> None:
        """Put a copy into the queue of each subscription that admits the message."""
        if content.scheduled_at:
            raise not_implemented("messages that are scheduled on a topic")
        for name, queue in self._queues.items():
            if self._settings.subscriptions[name].filter(content.names):
                queue.put(content, number, self._settings.time_to_live)
