"""The messages of the archive, as AsyncAPI 3.0: the topic of its events, and the queue of those that it takes.

Outbound messages are those that the domain makes (`lives.py`), inbound ones follow from the models that parse them, and
the settings of queues and subscriptions are those of infra/messaging.json.
"""

import tomllib
from pathlib import Path
from typing import Any

import yaml

from docs.asyncapi import inbound, outbound
from docs.asyncapi.channels import channels, operations
from docs.asyncapi.fields import OPEN
from docs.openapi import as_yaml
from shared.wire.inbound import MAX_BODY

ROOT = Path(__file__).parents[2]
GUIDE = "docs/consumers.md"

DESCRIPTION = f"""\
The archive sends an event for every change of every notice (*avviso di pagamento*) to the topic `notice-events`. It
takes positions, receipts and settlement lines from the queue `inbound-events`.

The [guide for teams that subscribe or send]({{guide}}) explains both with examples.

- **Form.** Each message is one CloudEvents 1.0 event in structured JSON. Its content type says so.
- **At least once.** A message may come again. `id` identifies an event.
- **No debtor.** No event of the archive has the code or the name of a debtor, or a free text. The notice over HTTP has
  them.
- **Fields** may be added to `data` and to the envelope without a new version of the type. Ignore unknown ones. A change
  of the meaning of a field is a new version of the type. New types of events may be added, and new values of fields
  with `{OPEN}`, such as anomalies.
- **Two directions.** `it.pagopa.notice.paid.v1` and `it.pagopa.notice.reported.v1` exist in both directions. Their
  `data` differ. Inbound: the receipt or line. Outbound: the notice after it.
- **Application properties** are `headers` here. `x-amqp-properties` are the other properties of a message of AMQP 1.0,
  for which AsyncAPI has no binding. `x-service-bus` are the settings of a queue or topic.
- **Limits.** An inbound event has at most {MAX_BODY:,} bytes. A schema gives the form. The archive also checks the
  check digits and that the day exists.
- **Line ends and tabs.** The archive replaces them by blanks in texts of inbound data. New producers send none, and the
  schemas forbid them.
"""


def document() -> dict[str, Any]:
    """Return the document of the messages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))["url"]
    guide = f"{repository}/blob/main/{GUIDE}"
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Archivio Centralizzato Avvisi: messages",
            "version": project["version"],
            "description": DESCRIPTION.format(guide=guide),
            "license": {
                "name": "European Union Public Licence 1.2",
                "url": f"{repository}/blob/main/LICENSE",
            },
            "externalDocs": {"url": guide, "description": "Guide for teams that subscribe or send"},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "service-bus": {
                "host": "{namespace}.servicebus.windows.net",
                "protocol": "amqp1",
                "protocolVersion": "1.0",
                "description": "Azure Service Bus. Sign in with a managed identity.",
                "variables": {"namespace": {"description": "The namespace of the environment."}},
            }
        },
        "channels": channels(),
        "operations": operations(),
        "components": {
            "messages": {**outbound.messages(), **inbound.messages()},
            "schemas": outbound.schemas(),
        },
    }


__all__ = ["as_yaml", "document"]
