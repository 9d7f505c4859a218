"""AMQP 1.0 as bytes: values, frames, performatives and messages. It knows nothing of Service Bus.

Part and section numbers in this package are those of the OASIS standard "AMQP 1.0", October 2012.
"""
