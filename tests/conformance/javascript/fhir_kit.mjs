// A day's work by fhir-kit-client: node fhir_kit.mjs BASE TOKEN → one JSON object of what it met. https://github.com/Vermonster/fhir-kit-client
import { Client } from "fhir-kit-client";

const [base, token] = process.argv.slice(2);
const client = new Client({ baseUrl: base, bearerToken: token });
const met = {};
const family = `Kit${Date.now()}`;
const person = (given) => ({ resourceType: "Patient", name: [{ family, given: [given] }], birthDate: "1975-04-30" });

const statement = await client.capabilityStatement();
met.types = statement.rest[0].resource.length;

const made = await client.create({ resourceType: "Patient", body: person("Ada") });
met.created = made.meta.versionId;
const read = await client.read({ resourceType: "Patient", id: made.id });
met.read = read.name[0].given[0];

const updated = await client.update({ resourceType: "Patient", id: made.id, body: { ...read, gender: "female" } });
met.updated = updated.meta.versionId;
const patched = await client.patch({
  resourceType: "Patient", id: made.id, jsonPatch: [{ op: "replace", path: "/birthDate", value: "1976-04-30" }],
});
met.patched = patched.birthDate;
const first = await client.vread({ resourceType: "Patient", id: made.id, version: "1" });
met.vread = first.gender ?? "none";

await Promise.all(["Ben", "Cora", "Dev"].map((given) => client.create({ resourceType: "Patient", body: person(given) })));
let page = await client.search({ resourceType: "Patient", searchParams: { family, _count: 2, _sort: "given" } });
met.pages = [page.entry.length];
while (page.link.some((link) => link.relation === "next")) {
  page = await client.nextPage({ bundle: page });
  met.pages.push((page.entry ?? []).length);
}
const posted = await client.search({ resourceType: "Patient", searchParams: { family }, options: { postSearch: true } });
met.posted = posted.entry.length;

const history = await client.history({ resourceType: "Patient", id: made.id });
met.history = history.entry.length;

const batch = await client.batch({
  body: {
    resourceType: "Bundle", type: "batch",
    entry: [{ request: { method: "GET", url: `Patient/${made.id}` } }, { request: { method: "GET", url: "Patient/no-such" } }],
  },
});
met.batch = batch.entry.map((entry) => entry.response.status.slice(0, 3));
const whole = await client.transaction({
  body: {
    resourceType: "Bundle", type: "transaction",
    entry: [
      { fullUrl: "urn:uuid:7a1c1d2e-5a4b-4c3d-8e9f-0a1b2c3d4e5f", request: { method: "POST", url: "Patient" }, resource: person("Elif") },
      {
        request: { method: "POST", url: "Observation" },
        resource: {
          resourceType: "Observation", status: "final", code: { text: "weight" },
          subject: { reference: "urn:uuid:7a1c1d2e-5a4b-4c3d-8e9f-0a1b2c3d4e5f" },
        },
      },
    ],
  },
});
met.transaction = whole.entry.map((entry) => entry.response.status.slice(0, 3));

const everything = await client.operation({ resourceType: "Patient", id: made.id, name: "everything", method: "GET" });
met.everything = everything.entry.length;

await client.delete({ resourceType: "Patient", id: made.id });
met.gone = await client.read({ resourceType: "Patient", id: made.id }).then(() => 200, (error) => error.response.status);
console.log(JSON.stringify(met));
