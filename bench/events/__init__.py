"""How fast events go out to the topic, on to a subscriber, and in from the queue."""
