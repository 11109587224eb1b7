// A Node verifier as a process: a JSON line in, a JSON line out, and only the lines move its clock.
import { createInterface } from "node:readline";
import { mock } from "node:test";
import { pathToFileURL } from "node:url";

const { verifier } = await import(pathToFileURL(process.argv[2]));
let verify;

async function refusal(token) {
  try {
    await verify(token);
    return null;
  } catch (error) {
    return error.constructor.name;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const now = Math.round(asked.at * 1000);
  if (asked.token) {
    mock.timers.tick(now - Date.now());
    console.log(JSON.stringify({ refusal: await refusal(asked.token) }));
  } else {
    mock.timers.reset();
    mock.timers.enable({ apis: ["Date", "setTimeout"], now });
    verify = verifier(asked.issuer, asked.audience, asked.options);
    console.log(JSON.stringify({ refusal: null }));
  }
}
