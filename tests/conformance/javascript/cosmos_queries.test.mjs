/** Queries and feeds of Cosmos DB give every item, over all partitions, also after a split. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ChangeFeedStartFrom, CosmosClient } from "@azure/cosmos";

import {
  anEvent, aNotice, ask, content, DATABASE, item, key, keyOf, makeContainer, notices, numbers, readFeed, save, saveIn,
  saveInManyInstitutions, saveMany, stranger,
} from "./cosmos.mjs";
import { command, cosmos, passTime } from "./doubles.mjs";

test("a query of a whole key finds the items of one notice", async () => {
  const [notice, other] = [aNotice(), aNotice()];
  await save(notice, anEvent(notice), other);

  const found = await ask("SELECT VALUE c.id FROM c ORDER BY c.id", {}, { partitionKey: keyOf(notice) });

  assert.deepEqual(found, [anEvent(notice).id, "notice"]);
});

test("a query and a feed of an institution find every number of it and no other", async () => {
  const { institution, saved } = await saveMany(5);
  await save(aNotice());

  const found = await ask("SELECT * FROM c WHERE c.creditorInstitution = @institution", { institution });
  const { items } = await readFeed(notices, ChangeFeedStartFrom.Beginning([institution]));

  assert.deepEqual(numbers(found).sort(), numbers(saved));
  assert.deepEqual(numbers(items).sort(), numbers(saved));
});

test("the double refuses the first values of a key in the place of a key", async () => {
  // The SDK sends them as if they were a whole key. Nothing says what the service makes of it.
  await assert.rejects(ask("SELECT * FROM c", {}, { partitionKey: ["77777777777"] }), { code: 400 });
});

test("a parameter is a value and never part of the query", async () => {
  const notice = aNotice({ status: "' OR 1 = 1 --" });
  await save(notice, aNotice());

  const found = await ask("SELECT * FROM c WHERE c.status = @status", { status: notice.status });

  assert.deepEqual(numbers(found), [notice.noticeNumber]);
});

test("an ordered list is merged from all partitions", async () => {
  const { saved, mark } = await saveInManyInstitutions(12);
  const query = (order) => `SELECT c.nextChangeAt FROM c WHERE c.status = @mark ORDER BY c.nextChangeAt ${order}`;

  const ascending = await ask(query("ASC"), { mark });
  const descending = await ask(query("DESC"), { mark });

  const times = saved.map(({ nextChangeAt }) => nextChangeAt);
  assert.deepEqual(ascending.map(({ nextChangeAt }) => nextChangeAt), times);
  assert.deepEqual(descending.map(({ nextChangeAt }) => nextChangeAt), times.toReversed());
});

test("a list may be ordered by several properties, and limited", async () => {
  const { saved, mark } = await saveInManyInstitutions(8);
  const order = "ORDER BY c.nextChangeAt, c.creditorInstitution, c.noticeNumber";

  const found = await ask(`SELECT TOP 3 * FROM c WHERE c.status = @mark ${order}`, { mark });

  assert.deepEqual(numbers(found), numbers(saved.slice(0, 3)));
});

test("the pages of one partition go on in another client", async () => {
  const notice = aNotice();
  const events = [1, 2, 3, 4, 5].map((version) => anEvent(notice, version));
  await save(...events);
  const query = "SELECT VALUE c.version FROM c ORDER BY c.id";
  const options = { partitionKey: keyOf(notice), maxItemCount: 2 };

  const first = await notices.items.query(query, options).fetchNext();
  const elsewhere = stranger.database(DATABASE).container(notices.id);
  const rest = elsewhere.items.query(query, { ...options, continuationToken: first.continuationToken });

  assert.deepEqual(first.resources, [1, 2]);
  assert.deepEqual((await rest.fetchAll()).resources, [3, 4, 5]);
});

test("items are counted over all partitions", async () => {
  const { mark } = await saveInManyInstitutions(7);

  assert.deepEqual(await ask("SELECT VALUE COUNT(1) FROM c WHERE c.status = @mark", { mark }), [7]);
});

test("a query that is not one is refused", async () => {
  await assert.rejects(ask("SELECT * FORM c", {}, { partitionKey: keyOf(aNotice()) }), { code: 400 });
  await assert.rejects(ask("SELECT * FORM c"), { code: 400 });
});

test("the feeds of the ranges together hold every change once, and go on from a token", async () => {
  const container = await makeContainer({ partitionKey: key("/creditorInstitution", "/noticeNumber") });
  const first = Array.from({ length: 9 }, () => aNotice());
  await saveIn(container, ...first);
  const ranges = await container.getFeedRanges();
  const feeds = await Promise.all(ranges.map((range) => readFeed(container, ChangeFeedStartFrom.Beginning(range))));
  const changed = { ...first[0], status: "PAID" };
  await container.item("notice", keyOf(changed)).replace(changed);

  const goOn = ({ token }) => readFeed(container, ChangeFeedStartFrom.Continuation(token));
  const later = await Promise.all(feeds.map(goOn));

  assert.ok(ranges.length > 1);
  assert.deepEqual(numbers(feeds.flatMap(({ items }) => items)).sort(), numbers(first));
  assert.deepEqual(later.flatMap(({ items }) => items).map(content), [changed]);
});

test("the changes of one notice come in the order in which they were made", async () => {
  const notice = aNotice();
  const events = [3, 1, 2].map((version) => anEvent(notice, version));
  await save(notice, ...events);
  await item(notice).replace({ ...notice, status: "PAID" });

  const { items } = await readFeed(notices, ChangeFeedStartFrom.Beginning(keyOf(notice)));

  assert.deepEqual(items.map(({ id }) => id), [...events.map(({ id }) => id), "notice"]);
});

test("reads, queries and feeds go on after a split", async () => {
  const container = await makeContainer({ partitionKey: key("/creditorInstitution", "/noticeNumber") });
  const saved = Array.from({ length: 12 }, () => aNotice());
  await saveIn(container, ...saved);
  const ranges = await container.getFeedRanges();
  const tokens = await Promise.all(ranges.map((range) => readFeed(container, ChangeFeedStartFrom.Beginning(range))));
  await command(cosmos, "POST", "split", {
    database: DATABASE, container: container.id, at: [saved[0].creditorInstitution, saved[0].noticeNumber],
  });

  const read = await container.item("notice", keyOf(saved[5])).read();
  const { resources } = await container.items.query("SELECT * FROM c").fetchAll();
  const changed = { ...saved[0], status: "PAID" };
  await container.item("notice", keyOf(changed)).replace(changed);
  const later = [];
  for (const { token } of tokens) {
    later.push(...(await readFeed(container, ChangeFeedStartFrom.Continuation(token))).items);
  }

  assert.deepEqual(content(read.resource), saved[5]);
  assert.deepEqual(numbers(resources).sort(), numbers(saved));
  assert.deepEqual(later.map(content), [changed]);
  assert.equal((await stranger.database(DATABASE).container(container.id).getFeedRanges()).length, ranges.length + 1);
});

test("what has expired is in no read, no query and no feed", async () => {
  const container = await makeContainer({ partitionKey: key("/id"), defaultTtl: 10 });
  await container.items.create({ id: "brief" });
  await container.items.create({ id: "lasting", ttl: 1_000 });
  await passTime(cosmos, 11);

  const { resources } = await container.items.query("SELECT VALUE c.id FROM c").fetchAll();
  const { items } = await readFeed(container, ChangeFeedStartFrom.Beginning());

  assert.equal((await container.item("brief", "brief").read()).statusCode, 404);
  assert.deepEqual(resources, ["lasting"]);
  assert.deepEqual(items.map(({ id }) => id), ["lasting"]);
});

test("a wrong key is refused", async () => {
  const wrong = cosmos.connectionString.replace("C2y6yDjf5", "D2y6yDjf5");
  const other = new CosmosClient(wrong);

  await assert.rejects(other.database(DATABASE).container(notices.id).items.create(aNotice()), { code: 401 });
  other.dispose();
});
