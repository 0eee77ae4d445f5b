// The official `ollama` package for Node against the server at TRUELINE_URL: every method for served operations.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ollama } from "ollama";

const model = process.env.TRUELINE_MODEL;
const client = new Ollama({ host: process.env.TRUELINE_URL });
const options = { temperature: 0, num_predict: 40 };
const messages = [{ role: "user", content: "What is 2 + 3?" }];

async function collect(stream) {
  const items = [];
  for await (const item of await stream) items.push(item);
  return items;
}

test("the model list holds the demo model", async () => {
  const { models } = await client.list();
  assert.ok(models.some((entry) => entry.name === model || entry.name === `${model}:latest`));
});

test("show describes the model", async () => {
  const shown = await client.show({ model });
  assert.ok(shown.capabilities.includes("completion"));
  assert.equal(shown.details.format, "gguf");
});

test("a used model is among the running ones", async () => {
  await client.generate({ model, prompt: "", stream: false });
  assert.ok((await client.ps()).models.length > 0);
});

test("the version is three numbers", async () => {
  assert.match((await client.version()).version, /^\d+\.\d+\.\d+/);
});

test("generate answers with counts", async () => {
  const answer = await client.generate({ model, prompt: "What is 2 + 3?", options });
  assert.ok(answer.done);
  assert.ok(answer.eval_count > 0);
});

test("a streamed generate accumulates to the whole answer", async () => {
  const whole = await client.generate({ model, prompt: "What is 2 + 3?", options });
  const parts = await collect(client.generate({ model, prompt: "What is 2 + 3?", options, stream: true }));
  assert.equal(parts.map((part) => part.response).join(""), whole.response);
});

test("chat answers a sum", async () => {
  const answer = await client.chat({ model, messages, options });
  assert.match(answer.message.content, /5/);
});

test("a streamed chat accumulates to the whole answer", async () => {
  const whole = await client.chat({ model, messages, options });
  const parts = await collect(client.chat({ model, messages, options, stream: true }));
  assert.equal(parts.map((part) => part.message.content).join(""), whole.message.content);
  assert.equal(parts.at(-1).done_reason, whole.done_reason);
});

test("an aborted stream rejects and leaves the server answering", async () => {
  const stream = await client.chat({ model, messages, options: { num_predict: 500 }, stream: true });
  stream.abort();
  await assert.rejects(collect(stream), { name: "AbortError" });
  assert.ok((await client.chat({ model, messages, options })).done);
});

test("embed answers one vector for each input", async () => {
  const { embeddings } = await client.embed({ model, input: ["hello", "good bye"] });
  assert.equal(embeddings.length, 2);
  assert.ok(Math.abs(Math.hypot(...embeddings[0]) - 1) < 1e-3);
});

test("the legacy embeddings call answers one vector", async () => {
  assert.ok((await client.embeddings({ model, prompt: "hello" })).embedding.length > 8);
});

test("an unknown model is not found", async () => {
  await assert.rejects(client.chat({ model: "nobody", messages }), { status_code: 404 });
});
