/** A client of Service Bus, whose links stay open, and messages for it. */

import assert from "node:assert/strict";
import { after } from "node:test";

import { ServiceBusClient } from "@azure/service-bus";

import { aName, serviceBus } from "./doubles.mjs";

/** Bytes of a message of the Standard tier, and of a batch. */
export const LIMIT = 262_144;
export const PATIENCE = { maxWaitTimeInMs: 10_000 };
export const SILENCE = { maxWaitTimeInMs: 200 };
export const DEAD_LETTERS = "/$DeadLetterQueue";
/** A client does not repeat what fails: a test sees each failure. */
export const IMPATIENT = { retryOptions: { maxRetries: 0, timeoutInMs: 10_000 } };

export const client = new ServiceBusClient(serviceBus.connectionString, IMPATIENT);
const senders = new Map();
const receivers = new Map();
after(() => client.close());

export function aMessage(properties) {
  const serial = aName();
  return { body: serial, messageId: serial, ...properties };
}

export function bodies(messages) {
  return messages.map((message) => message.body);
}

export function sender(name) {
  return kept(senders, name, () => client.createSender(name));
}

export function receiver(path) {
  return kept(receivers, path, () => newReceiver(path));
}

export function newReceiver(path) {
  const [topic, subscription] = path.replace(DEAD_LETTERS, "").split("/");
  const options = path.endsWith(DEAD_LETTERS) ? { subQueueType: "deadLetter" } : {};
  return subscription ? client.createReceiver(topic, subscription, options) : client.createReceiver(topic, options);
}

/** Links stay open: to open one takes longer than to use it. */
function kept(links, name, make) {
  if (!links.has(name)) {
    links.set(name, make());
  }
  return links.get(name);
}

export async function send(name, ...messages) {
  for (const message of messages) {
    await sender(name).sendMessages(message);
  }
}

export async function sendNew(name, number) {
  const sent = Array.from({ length: number }, () => aMessage());
  await send(name, ...sent);
  return sent;
}

export async function receive(path, number) {
  const messages = [];
  while (messages.length < number) {
    const more = await receiver(path).receiveMessages(number - messages.length, PATIENCE);
    assert.ok(more.length, `${path} has ${messages.length} messages, not ${number}.`);
    messages.push(...more);
  }
  return messages;
}

export async function one(path) {
  const [message] = await receive(path, 1);
  return message;
}

export async function complete(path, ...messages) {
  for (const message of messages) {
    await receiver(path).completeMessage(message);
  }
}

export async function takeAll(path, number) {
  const messages = await receive(path, number);
  await complete(path, ...messages);
  return bodies(messages);
}

/** Look from the beginning, or from where the options say: a receiver goes on after what it saw. */
export async function peek(path, options) {
  const fresh = newReceiver(path);
  const messages = await fresh.peekMessages(100, options);
  await fresh.close();
  return messages;
}
