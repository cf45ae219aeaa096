// What node-postgres makes of a session, as JSON: `node node.js <connection string> <session's schema>`.

const { Client } = require("pg");

const [target, schema] = process.argv.slice(2);

// Values with their classes; what JSON has no form for is text.
function shown(value) {
  if (value === null) return ["null", null];
  if (Buffer.isBuffer(value)) return ["Buffer", value.toString("hex")];
  return [value.constructor.name, value];
}

async function failure(act) {
  try {
    await act();
  } catch (error) {
    return error.code;
  }
  return null;
}

async function main() {
  const client = new Client({ connectionString: target });
  await client.connect();
  const found = {};
  const types = await client.query(`SELECT * FROM ${schema}._types ORDER BY id`);
  found.names = types.fields.map((field) => field.name);
  found.rows = types.rows.map((row) => found.names.map((name) => shown(row[name])));
  const counted = `SELECT count(*) AS n FROM ${schema}._stream WHERE region = $1 AND price >= $2`;
  found.parameters = [];
  for (const region of ["north", "south", "x"]) {
    const result = await client.query({ name: "counted", text: counted, values: [region, 95] });
    found.parameters.push(result.rows[0].n);
  }
  await client.query("SET statement_timeout = '300ms'");
  found.timeout = await failure(() => client.query(`SELECT n FROM ${schema}._endless`));
  await client.query("RESET statement_timeout");
  found.late = await failure(() => client.query(`SELECT id, note FROM ${schema}._fails_late`));
  found.write = await failure(() => client.query(`DELETE FROM ${schema}._types`));
  found.after = (await client.query(`SELECT count(*) AS n FROM ${schema}._types`)).rows[0].n;
  await client.end();
  console.log(JSON.stringify(found));
}

main();
