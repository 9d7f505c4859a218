/** Every received message is locked until it is settled, and comes again if it is not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { ServiceBusClient } from "@azure/service-bus";

import { command, passTime, serviceBus } from "./doubles.mjs";
import {
  aMessage, bodies, client, complete, DEAD_LETTERS, one, PATIENCE, peek, receiver, send, sendNew, SILENCE, takeAll,
} from "./servicebus.mjs";

test("a message that is completed is gone", async () => {
  await sendNew("plain", 1);

  await complete("plain", await one("plain"));

  assert.deepEqual(await peek("plain"), []);
});

test("a message that is abandoned comes again with a higher count and its new properties", async () => {
  const [sent] = await sendNew("plain", 1);
  const counts = [];
  for (const tries of [1, 2, 3]) {
    const message = await one("plain");
    assert.equal(message.messageId, sent.messageId);
    counts.push([message.deliveryCount, message.applicationProperties?.tries]);
    await receiver("plain").abandonMessage(message, { tries });
  }

  await takeAll("plain", 1);
  assert.deepEqual(counts, [[0, undefined], [1, 1], [2, 2]]);
});

test("a locked message is not given to another receiver", async () => {
  const [, second] = await sendNew("plain", 2);
  const held = await one("plain");
  const other = client.createReceiver("plain");

  const [message] = await other.receiveMessages(1, PATIENCE);

  assert.equal(message.messageId, second.messageId);
  await other.completeMessage(message);
  await other.close();
  await complete("plain", held);
});

test("a message that was delivered too often becomes a dead letter", async () => {
  const sent = aMessage({ applicationProperties: { type: "a" } });
  await send("brief", sent);
  for (let n = 0; n < 3; n += 1) {
    await receiver("brief").abandonMessage(await one("brief"));
  }

  const dead = await one(`brief${DEAD_LETTERS}`);

  await complete(`brief${DEAD_LETTERS}`, dead);
  assert.equal(dead.messageId, sent.messageId);
  assert.equal(dead.deadLetterReason, "MaxDeliveryCountExceeded");
  assert.equal(dead.applicationProperties.type, "a");
  assert.deepEqual(await peek("brief"), []);
});

test("a dead letter has the reason and the description that it was given", async () => {
  const [sent] = await sendNew("brief", 1);
  const reason = { deadLetterReason: "NoticeUnknown", deadLetterErrorDescription: "The notice 1 is not known." };
  await receiver("brief").deadLetterMessage(await one("brief"), { ...reason, tries: 1 });

  const dead = await one(`brief${DEAD_LETTERS}`);

  await complete(`brief${DEAD_LETTERS}`, dead);
  assert.equal(dead.messageId, sent.messageId);
  assert.equal(dead.deadLetterReason, reason.deadLetterReason);
  assert.equal(dead.deadLetterErrorDescription, reason.deadLetterErrorDescription);
  assert.equal(dead.applicationProperties.tries, 1);
});

test("a message cannot be settled after its lock and comes again with a higher count", async () => {
  await sendNew("brief", 1);
  const first = await one("brief");

  await passTime(serviceBus, 6);

  await assert.rejects(receiver("brief").completeMessage(first), { code: "MessageLockLost" });
  await assert.rejects(receiver("brief").renewMessageLock(first), { code: "MessageLockLost" });
  const second = await one("brief");
  await complete("brief", second);
  assert.deepEqual([first.deliveryCount, second.deliveryCount], [0, 1]);
});

test("a lock that is renewed lasts for its whole time again", async () => {
  await sendNew("brief", 1);
  const message = await one("brief");
  const before = message.lockedUntilUtc;
  await passTime(serviceBus, 3);

  const until = await receiver("brief").renewMessageLock(message);
  await passTime(serviceBus, 3);

  assert.ok(until - before >= 2_000);
  await complete("brief", message);
  assert.deepEqual(await peek("brief"), []);
});

test("a lock outlives the link of its receiver", async () => {
  await sendNew("brief", 1);
  const other = client.createReceiver("brief");
  const [held] = await other.receiveMessages(1, PATIENCE);
  await other.close();

  assert.deepEqual(await receiver("brief").receiveMessages(1, SILENCE), []);
  await passTime(serviceBus, 6);

  const message = await one("brief");
  await complete("brief", message);
  assert.deepEqual([held.deliveryCount, message.deliveryCount], [0, 1]);
});

test("a handler that subscribes gets every message, and its messages are completed", async () => {
  const sent = await sendNew("plain", 5);
  const other = client.createReceiver("plain");
  const received = [];
  await new Promise((resolve, reject) => {
    other.subscribe({
      processMessage: async ({ body }) => received.push(body) === sent.length && resolve(),
      processError: async ({ error }) => reject(error),
    });
  });

  // Closing it waits until the last message is completed.
  await other.close();

  assert.deepEqual(received, bodies(sent));
  assert.deepEqual(await peek("plain"), []);
});

test("dead letters belong to a subscription", async () => {
  const sent = aMessage({ applicationProperties: { anomaly: "x" } });
  await send("events", sent);
  await receiver("events/all").abandonMessage(await one("events/all"));
  await takeAll("events/customer-care", 1);

  const dead = await one(`events/all${DEAD_LETTERS}`);

  await complete(`events/all${DEAD_LETTERS}`, dead);
  assert.deepEqual([dead.messageId, dead.deadLetterReason], [sent.messageId, "MaxDeliveryCountExceeded"]);
  assert.deepEqual(await peek(`events/customer-care${DEAD_LETTERS}`), []);
});

test("a message that has expired becomes a dead letter where the queue says so", async () => {
  const sent = aMessage({ timeToLive: 1_000 });
  await send("burying", sent);

  await passTime(serviceBus, 2);

  const dead = await one(`burying${DEAD_LETTERS}`);
  await complete(`burying${DEAD_LETTERS}`, dead);
  assert.deepEqual([dead.messageId, dead.deadLetterReason], [sent.messageId, "TTLExpiredException"]);
});

test("a client goes on after its connections were cut", async () => {
  const patient = new ServiceBusClient(serviceBus.connectionString);
  const [from, to] = [patient.createReceiver("plain"), patient.createSender("plain")];
  const messages = [aMessage(), aMessage()];
  await to.sendMessages(messages[0]);
  const [held] = await from.receiveMessages(1, PATIENCE);

  await command(serviceBus, "POST", "cut");
  // The SDK waits a minute for the answer to a message that it sends before it notices the cut.
  await setTimeout(100);

  await to.sendMessages(messages[1]);
  await from.completeMessage(held);
  const [next] = await from.receiveMessages(1, PATIENCE);
  await from.completeMessage(next);
  await patient.close();
  assert.deepEqual([held.body, next.body], bodies(messages));
  assert.deepEqual(await peek("plain"), []);
});
