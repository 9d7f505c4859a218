/** Items of Cosmos DB are written whole, once, and under their etags. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { anEvent, aNotice, batch, content, ifMatch, item, keyOf, notices } from "./cosmos.mjs";
import { command, cosmos } from "./doubles.mjs";

test("an item is read as it was created", async () => {
  const notice = aNotice();

  const created = await notices.items.create(notice);

  const read = await item(notice).read();
  assert.equal(created.statusCode, 201);
  assert.deepEqual(content(read.resource), notice);
  assert.equal(read.etag, created.etag);
  assert.ok(read.requestCharge >= 1);
});

test("an item is created once", async () => {
  const notice = aNotice();
  await notices.items.create(notice);

  await assert.rejects(notices.items.create({ ...notice, status: "PAID" }), { code: 409 });

  assert.deepEqual(content((await item(notice).read()).resource), notice);
});

test("an item that is not there is not found", async () => {
  const notice = aNotice();

  const read = await item(notice).read();

  assert.deepEqual([read.statusCode, read.resource], [404, undefined]);
  await assert.rejects(item(notice).replace(notice), { code: 404 });
  await assert.rejects(item(notice).delete(), { code: 404 });
});

test("a replacement under the current etag is made and changes it", async () => {
  const notice = aNotice();
  const { etag } = await notices.items.create(notice);

  const replaced = await item(notice).replace({ ...notice, status: "PAID" }, ifMatch(etag));

  assert.notEqual(replaced.etag, etag);
  assert.deepEqual(content((await item(notice).read()).resource), { ...notice, status: "PAID" });
});

test("a replacement, an upsert, a patch and a deletion under a stale etag are refused", async () => {
  const notice = aNotice();
  const { etag } = await notices.items.create(notice);
  await item(notice).replace({ ...notice, status: "PAID" });
  const stale = ifMatch(etag);

  await assert.rejects(item(notice).replace({ ...notice, amount: 1 }, stale), { code: 412 });
  await assert.rejects(notices.items.upsert({ ...notice, amount: 1 }, stale), { code: 412 });
  await assert.rejects(item(notice).patch([{ op: "set", path: "/amount", value: 1 }], stale), { code: 412 });
  await assert.rejects(item(notice).delete(stale), { code: 412 });

  assert.deepEqual(content((await item(notice).read()).resource), { ...notice, status: "PAID" });
});

test("a read of what has not changed gives no item", async () => {
  const notice = aNotice();
  const { etag } = await notices.items.create(notice);

  const read = await item(notice).read({ accessCondition: { type: "IfNoneMatch", condition: etag } });

  assert.equal(read.statusCode, 304);
  assert.ok(!read.resource);
});

test("a patch changes what it says, where its predicate holds", async () => {
  const notice = aNotice();
  await notices.items.create(notice);
  const patch = (status) => ({
    condition: `from c where c.status = '${status}'`,
    operations: [{ op: "set", path: "/status", value: "PAID" }, { op: "incr", path: "/amount", value: 5 }],
  });

  await assert.rejects(item(notice).patch(patch("EXPIRED")), { code: 412 });
  await item(notice).patch(patch("ACTIVE"));

  const read = await item(notice).read();
  assert.deepEqual(content(read.resource), { ...notice, status: "PAID", amount: notice.amount + 5 });
});

test("of many creations of one id one is made", async () => {
  const notice = aNotice();
  const creations = Array.from({ length: 10 }, (_, amount) => notices.items.create({ ...notice, amount }));

  const outcomes = await Promise.allSettled(creations);

  assert.equal(outcomes.filter((outcome) => outcome.status === "fulfilled").length, 1);
  assert.ok(outcomes.every(({ reason }) => reason === undefined || reason.code === 409));
});

test("each operation of a batch is answered in its place", async () => {
  const notice = aNotice();

  const { code, result } = await batch(notice, [
    { operationType: "Create", resourceBody: notice },
    { operationType: "Replace", id: "notice", resourceBody: { ...notice, status: "PAID" } },
    { operationType: "Upsert", resourceBody: anEvent(notice) },
    { operationType: "Read", id: "notice" },
  ]);

  assert.equal(code, 200);
  assert.deepEqual(result.map(({ statusCode }) => statusCode), [201, 200, 201, 200]);
  assert.deepEqual(content(result[3].resourceBody), { ...notice, status: "PAID" });
  const read = await item(notice).read();
  assert.equal(result[3].eTag, read.etag);
});

test("a batch whose last operation fails leaves nothing", async () => {
  const notice = aNotice();
  await notices.items.create(anEvent(notice));

  const { code, result } = await batch(notice, [
    { operationType: "Create", resourceBody: notice },
    { operationType: "Create", resourceBody: anEvent(notice) },
  ]);

  assert.deepEqual(result.map(({ statusCode }) => statusCode), [424, 409]);
  assert.equal(code, 207);
  assert.equal((await item(notice).read()).statusCode, 404);
});

test("an operation under a stale etag fails the batch", async () => {
  const notice = aNotice();
  const { etag } = await notices.items.create(notice);
  await item(notice).replace({ ...notice, status: "PAID" });

  const { result } = await batch(notice, [
    { operationType: "Create", resourceBody: anEvent(notice) },
    { operationType: "Replace", id: "notice", resourceBody: notice, ifMatch: etag },
  ]);

  assert.deepEqual(result.map(({ statusCode }) => statusCode), [424, 412]);
  assert.equal((await notices.item(anEvent(notice).id, keyOf(notice)).read()).statusCode, 404);
});

test("the same id under two numbers is two items", async () => {
  const first = aNotice();
  const second = aNotice({ creditorInstitution: first.creditorInstitution });
  await notices.items.create(first);

  assert.equal((await item(second).read()).statusCode, 404);
  await notices.items.create(second);
  assert.deepEqual(content((await item(first).read()).resource), first);
});

test("a write that was throttled is sent again", async () => {
  const notice = aNotice();
  await command(cosmos, "PUT", "faults", [{ operation: "Create", status: 429, retry_after: 0.01, times: 2 }]);

  const created = await notices.items.create(notice);

  assert.equal(created.statusCode, 201);
  assert.deepEqual(content((await item(notice).read()).resource), notice);
});
