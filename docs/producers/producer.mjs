// Tells Verbale over HTTP that an incident is opened, and prints what became of the message. Needs Node 18 or newer.

const { VERBALE_URL, VERBALE_TOKEN } = process.env;
const now = new Date().toISOString();
const headers = { authorization: `Bearer ${VERBALE_TOKEN}`, "content-type": "application/cloudevents+json" };
const name = { specversion: "1.0", source: "monitor", id: `INC44 opened ${now}`, type: "verbale.incident.open.v1" };
const data = { contract: "acme-2026", impact: "high", urgency: "medium" };
const body = JSON.stringify({ ...name, subject: "incident-INC44", time: now, data });
const answer = await fetch(`${VERBALE_URL}/messages`, { method: "POST", headers, body });
console.log(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
