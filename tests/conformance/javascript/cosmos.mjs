/** A client of Cosmos DB, a container as the archive has one, and items as the archive would write them. */

import { readFile } from "node:fs/promises";
import { after } from "node:test";

import { CosmosClient } from "@azure/cosmos";

import { aName, cosmos } from "./doubles.mjs";

export const DATABASE = "conformance";

const client = new CosmosClient(cosmos.connectionString);
/** Another client, which knows nothing of what the first one did. */
export const stranger = new CosmosClient(cosmos.connectionString);
const { database } = await client.databases.createIfNotExists({ id: DATABASE });
const archive = JSON.parse(await readFile(new URL("../../../infra/data.json", import.meta.url), "utf8"));
const { partitionKey, indexingPolicy } = archive.containers.notices;

/** Partition key /creditorInstitution, /noticeNumber; only what the archive asks for is indexed. */
export const notices = await makeContainer({ partitionKey: key(...partitionKey), indexingPolicy });
let serial = 0;
after(() => {
  client.dispose();
  stranger.dispose();
});

export function key(...paths) {
  return { paths, kind: paths.length > 1 ? "MultiHash" : "Hash", version: 2 };
}

export async function makeContainer(definition) {
  const { container } = await database.containers.create({ id: aName(), ...definition });
  return container;
}

export function aNotice(changes) {
  serial += 1;
  return {
    id: "notice",
    creditorInstitution: `${10_000_000_000 + serial}`,
    noticeNumber: `347${String(serial).padStart(15, "0")}`,
    status: "ACTIVE",
    amount: 12050,
    ...changes,
  };
}

export function anEvent({ creditorInstitution, noticeNumber }, version = 1) {
  return { id: `event-${version}`, creditorInstitution, noticeNumber, version };
}

export function keyOf({ creditorInstitution, noticeNumber }) {
  return [creditorInstitution, noticeNumber];
}

export function numbers(items) {
  return items.map(({ noticeNumber }) => noticeNumber);
}

/** Return an item without what the service adds. */
export function content(found) {
  return Object.fromEntries(Object.entries(found).filter(([name]) => !name.startsWith("_")));
}

export function item(notice) {
  return notices.item("notice", keyOf(notice));
}

export function ifMatch(etag) {
  return { accessCondition: { type: "IfMatch", condition: etag } };
}

export function batch(notice, operations) {
  return notices.items.batch(operations, keyOf(notice));
}

export function save(...documents) {
  return saveIn(notices, ...documents);
}

export async function saveIn(container, ...documents) {
  for (const document of documents) {
    await container.items.create(document);
  }
}

/** Save so many notices of one institution. */
export async function saveMany(number) {
  const first = aNotice();
  const institution = first.creditorInstitution;
  const saved = [first, ...Array.from({ length: number - 1 }, () => aNotice({ creditorInstitution: institution }))];
  await save(...saved);
  return { institution, saved };
}

/** Save notices that lie in all partitions, in the order of their times, with a status of their own. */
export async function saveInManyInstitutions(number) {
  const mark = aName();
  const saved = Array.from({ length: number }, (_, n) =>
    aNotice({ status: mark, nextChangeAt: `2026-12-${String(n + 10)}T00:00:00Z` }));
  await save(...saved.toReversed());
  return { mark, saved };
}

export async function ask(query, named = {}, options = {}) {
  const parameters = Object.entries(named).map(([name, value]) => ({ name: `@${name}`, value }));
  return (await notices.items.query({ query, parameters }, options).fetchAll()).resources;
}

/** Read a feed up to its end, and return what changed and the token to go on with. */
export async function readFeed(container, changeFeedStartFrom) {
  const items = [];
  let token;
  for await (const page of container.items.getChangeFeedIterator({ changeFeedStartFrom }).getAsyncIterator()) {
    token = page.continuationToken;
    if (page.statusCode === 304) {
      break;
    }
    items.push(...page.result);
  }
  return { items, token };
}
