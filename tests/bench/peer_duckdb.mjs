// Slope and intercept of the last column on each other one, by DuckDB, straight from a CSV. The clock runs for the
// query alone: neither Node.js nor the database's start counts.
//
// usage: node peer_duckdb.mjs NODE_MODULES FILE.csv FEATURES THREADS    prints {"total": seconds}
import { createRequire } from "node:module";

const [modules, file, features, threads] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(modules + "/")("@duckdb/node-api");
const instance = await DuckDBInstance.create(":memory:", { threads });
const connection = await instance.connect();
const fits = [];
for (let j = 0; j < Number(features); j++) fits.push(`regr_slope(y, x${j}), regr_intercept(y, x${j})`);
const began = process.hrtime.bigint();
const reader = await connection.runAndReadAll(`SELECT ${fits.join(", ")} FROM read_csv('${file.replaceAll("'", "''")}')`);
const total = Number(process.hrtime.bigint() - began) / 1e9;
if (!reader.getRows()[0].every(Number.isFinite)) throw new Error("a coefficient is not a number");
console.log(JSON.stringify({ total }));
