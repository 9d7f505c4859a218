/** Messages of Service Bus arrive whole, in order, in every queue and subscription that they are for. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ServiceBusClient } from "@azure/service-bus";

import { aName, command, passTime, serviceBus } from "./doubles.mjs";
import {
  aMessage, bodies, client, complete, IMPATIENT, LIMIT, one, peek, receive, send, sender, sendNew, takeAll,
} from "./servicebus.mjs";

test("a message arrives with its body and properties", async () => {
  const sent = aMessage({
    body: { id: "1" },
    applicationProperties: { type: "it.pagopa.notice.paid.v1", amount: 12050, standIn: true, share: 0.5 },
    contentType: "application/cloudevents+json",
    subject: "notice",
    correlationId: "c-1",
    sessionId: "77777777777.1",
    to: "somewhere",
    replyTo: "elsewhere",
    timeToLive: 90_000,
  });
  await send("plain", sent);

  const received = await one("plain");

  await complete("plain", received);
  for (const [name, value] of Object.entries(sent)) {
    assert.deepEqual(received[name], value, name);
  }
  assert.equal(received.state, "active");
  assert.ok(received.enqueuedSequenceNumber);
});

test("a body that is a value arrives as it is", async () => {
  const bodies = ["paid", { amount: 12050, lines: ["a", null] }, [1, 2], 12050, true];
  await send("plain", ...bodies.map((body) => aMessage({ body })));

  assert.deepEqual(await takeAll("plain", bodies.length), bodies);
});

test("a message without an id is given one", async () => {
  await send("plain", { body: "x" });

  const received = await one("plain");

  await complete("plain", received);
  assert.ok(received.messageId);
});

test("messages arrive in the order in which they were sent", async () => {
  const sent = await sendNew("plain", 20);

  const received = await receive("plain", 20);

  await complete("plain", ...received);
  assert.deepEqual(bodies(received), bodies(sent));
  const numbers = received.map((message) => message.sequenceNumber.toNumber());
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
});

test("a batch arrives whole and in its order", async () => {
  const batch = await sender("plain").createMessageBatch();
  const sent = Array.from({ length: 50 }, (_, n) => aMessage({ subject: `s-${n}`, applicationProperties: { n } }));
  assert.ok(sent.every((message) => batch.tryAddMessage(message)));

  await sender("plain").sendMessages(batch);

  const received = await receive("plain", 50);
  await complete("plain", ...received);
  const content = ({ body, messageId, subject, applicationProperties }) =>
    ({ body, messageId, subject, applicationProperties });
  assert.deepEqual(received.map(content), sent.map(content));
});

test("a batch has as much room as the service says", async () => {
  const batch = await sender("plain").createMessageBatch();

  assert.equal(batch.maxSizeInBytes, LIMIT);
  assert.ok(batch.tryAddMessage({ body: Buffer.alloc(200_000) }));
  assert.ok(!batch.tryAddMessage({ body: Buffer.alloc(100_000) }));
});

test("a message of several frames arrives", async () => {
  const body = Buffer.alloc(256_000, "0123456789");
  await send("plain", aMessage({ body }));

  const [received] = await takeAll("plain", 1);

  assert.deepEqual(received, body);
});

test("a message that is too large is refused and the next one is not", async () => {
  await assert.rejects(send("plain", aMessage({ body: Buffer.alloc(LIMIT) })), { code: "MessageSizeExceeded" });

  const [following] = await sendNew("plain", 1);

  assert.deepEqual(await takeAll("plain", 1), [following.body]);
});

test("a message that is peeked at stays and is not counted", async () => {
  const sent = await sendNew("plain", 3);

  const peeked = await peek("plain");
  const later = await peek("plain", { fromSequenceNumber: peeked[1].sequenceNumber });

  const received = await receive("plain", 3);
  await complete("plain", ...received);
  assert.deepEqual(bodies(peeked), bodies(sent));
  assert.deepEqual(bodies(later), bodies(sent.slice(1)));
  assert.deepEqual(received.map((message) => message.deliveryCount), [0, 0, 0]);
});

test("a message id that is sent again is accepted and not stored until its window ends", async () => {
  const messageId = aName();
  const sent = [1, 2, 3].map((body) => aMessage({ body, messageId }));
  await send("deduplicating", sent[0], sent[1]);

  assert.deepEqual(bodies(await peek("deduplicating")), [1]);
  await passTime(serviceBus, 21);
  await send("deduplicating", sent[2]);

  assert.deepEqual(await takeAll("deduplicating", 2), [1, 3]);
});

test("each subscription gets what its filter admits", async () => {
  const listed = { status: "PAID", standIn: false, amount: 1 };
  const cases = [
    [{}, ["all"]],
    [{ applicationProperties: { anomaly: "paid-twice" } }, ["all", "customer-care"]],
    [{ applicationProperties: { replayFor: "customer-care", anomaly: "x" } }, ["customer-care"]],
    [{ subject: "notice", applicationProperties: listed }, ["active-or-paid", "all"]],
    [{ subject: "notice", applicationProperties: { ...listed, amount: 0 } }, ["all"]],
    [{ subject: "urgent", applicationProperties: { status: "PAID" } }, ["all", "urgent"]],
  ];
  for (const [properties, admitted] of cases) {
    await send("events", aMessage(properties));
    const found = [];
    for (const name of ["active-or-paid", "all", "customer-care", "urgent"]) {
      const { active } = await command(serviceBus, "GET", `counts/events/Subscriptions/${name}`);
      if ((await takeAll(`events/${name}`, active)).length) {
        found.push(name);
      }
    }
    assert.deepEqual(found, admitted, JSON.stringify(properties));
  }
});

test("a message that is scheduled comes when its time has come", async () => {
  // The clock of the double is ahead by what the tests above let pass, so only its distance to a far time is exact.
  const later = aMessage({ scheduledEnqueueTimeUtc: new Date(Date.now() + 1_000_000) });
  await send("plain", later);
  const [atOnce] = await sendNew("plain", 1);

  assert.deepEqual(await takeAll("plain", 1), [atOnce.body]);
  const [waiting] = await peek("plain");
  assert.deepEqual([waiting.body, waiting.state], [later.body, "scheduled"]);
  await passTime(serviceBus, 1_000);

  assert.deepEqual(await takeAll("plain", 1), [later.body]);
});

test("a queue that does not exist is refused", async () => {
  const message = aMessage();

  await assert.rejects(client.createSender("absent").sendMessages(message), { code: "MessagingEntityNotFound" });
  await assert.rejects(client.createReceiver("absent").receiveMessages(1), { code: "MessagingEntityNotFound" });
});

test("a client with another key is refused", async () => {
  const wrong = serviceBus.connectionString.replace("SAS_KEY_VALUE", "another");
  const stranger = new ServiceBusClient(wrong, IMPATIENT);

  await assert.rejects(stranger.createSender("plain").sendMessages(aMessage()), { code: "UnauthorizedAccess" });
  await stranger.close();
});
