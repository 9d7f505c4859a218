/** Where the tests find the doubles, and how they move the clock of one: the addresses are in the environment. */

export const serviceBus = {
  connectionString: required("CONFORMANCE_SERVICEBUS"),
  control: required("CONFORMANCE_SERVICEBUS_CONTROL"),
};
export const cosmos = {
  connectionString: required("CONFORMANCE_COSMOS"),
  control: required("CONFORMANCE_COSMOS_CONTROL"),
};

let serial = 0;

/** Return a name that nothing has yet. */
export function aName() {
  serial += 1;
  return `js-${process.pid}-${serial}`;
}

/** Move the clock of a double forward. */
export function passTime(double, seconds) {
  return command(double, "POST", "advance", { seconds });
}

/** Send a command to the side door of a double, and return its answer. */
export async function command(double, method, name, given) {
  const answer = await fetch(`${double.control}${name}`, { method, body: given && JSON.stringify(given) });
  const body = await answer.json();
  if (!answer.ok) {
    throw new Error(`${method} ${name}: ${body.message}`);
  }
  return body;
}

function required(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is missing: run the tests with \`make conformance\`.`);
  }
  return value;
}
