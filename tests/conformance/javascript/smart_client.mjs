// A day's work by the SMART Health IT client: node smart_client.mjs BASE TOKEN → one JSON object. https://github.com/smart-on-fhir/client-js
import { createRequire } from "node:module";

const FHIR = createRequire(import.meta.url)("fhirclient");
const [base, token] = process.argv.slice(2);
const store = new Map();
const storage = { get: async (key) => store.get(key), set: async (key, value) => store.set(key, value), unset: async (key) => store.delete(key) };
const client = FHIR({ headers: { host: "localhost" }, url: "/" }, {}, storage).client({ serverUrl: base, tokenResponse: { access_token: token } });
const met = {};
const family = `Smart${Date.now()}`;

const made = await client.create({ resourceType: "Patient", name: [{ family, given: ["Ada"] }] });
met.created = made.resourceType;
const observation = await client.create(
  { resourceType: "Observation", status: "preliminary", code: { text: "weight" }, subject: { reference: `Patient/${made.id}` } },
);
met.resolved = (await client.request(
  { url: `Observation/${observation.id}` }, { resolveReferences: ["subject"] },
)).subject.name[0].family === family;
met.updated = (await client.update({ ...made, gender: "female" })).gender;
met.patched = (await client.patch(`Patient/${made.id}`, [{ op: "add", path: "/birthDate", value: "1980-02-03" }])).birthDate;
for (const given of ["Ben", "Cora"]) await client.create({ resourceType: "Patient", name: [{ family, given: [given] }] });
const pages = await client.request({ url: `Patient?family=${family}&_count=1` }, { pageLimit: 0 });
met.pages = pages.length;
await client.delete(`Observation/${observation.id}`);
met.gone = await client.request({ url: `Observation/${observation.id}` }).then(() => 200, (error) => error.status ?? error.statusCode);
console.log(JSON.stringify(met));
