// The official `openai` package for Node against the server at TRUELINE_URL: every method for served operations.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const model = process.env.TRUELINE_MODEL;
const client = new OpenAI({ baseURL: `${process.env.TRUELINE_URL}/v1`, apiKey: "unused", maxRetries: 0 });
const messages = [{ role: "user", content: "What is 2 + 3?" }];
const request = { model, messages, temperature: 0, max_completion_tokens: 40 };
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const personSchema = {
  type: "object",
  properties: { name: { type: "string", maxLength: 20 }, age: { type: "integer", minimum: 0, maximum: 150 } },
  required: ["name", "age"],
  additionalProperties: false,
};

async function collect(stream) {
  const items = [];
  for await (const item of await stream) items.push(item);
  return items;
}

test("the model list holds the demo model", async () => {
  const entries = await collect(client.models.list());
  assert.ok(entries.some((entry) => entry.id === model));
});

test("a model can be retrieved", async () => {
  assert.equal((await client.models.retrieve(model)).id, model);
});

test("an unknown model is not found", async () => {
  await assert.rejects(client.models.retrieve("someone/else:7b"), { status: 404, code: "model_not_found" });
});

test("a chat answers a sum", async () => {
  const completion = await client.chat.completions.create(request);
  assert.match(completion.choices[0].message.content, /5/);
  assert.equal(completion.choices[0].finish_reason, "stop");
});

test("a streamed chat accumulates to the whole answer", async () => {
  const whole = await client.chat.completions.create(request);
  const chunks = await collect(
    client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } }),
  );
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  assert.equal(text, whole.choices[0].message.content);
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.completion_tokens, whole.usage.completion_tokens);
});

test("the stream helper ends with the final completion", async () => {
  const final = await client.chat.completions.stream(request).finalChatCompletion();
  assert.match(final.choices[0].message.content, /5/);
});

test("an aborted stream leaves the server answering", async () => {
  const stream = await client.chat.completions.create({
    ...request, stream: true, max_completion_tokens: 500, ignore_eos: true,
  });
  for await (const _ of stream) {
    stream.controller.abort();
    break;
  }
  assert.ok((await client.chat.completions.create(request)).id);
});

test("parse returns the parsed answer", async () => {
  const completion = await client.chat.completions.parse({
    ...request,
    max_completion_tokens: 200,
    response_format: { type: "json_schema", json_schema: { name: "person", schema: personSchema, strict: true } },
  });
  assert.deepEqual(Object.keys(JSON.parse(completion.choices[0].message.content)), ["name", "age"]);
});

test("runTools calls the function and answers with its result", async () => {
  const asked = [];
  const runner = client.chat.completions.runTools({
    ...request,
    messages: [{ role: "user", content: "What is the weather in Paris?" }],
    max_completion_tokens: 100,
    tools: [
      {
        ...weather,
        function: {
          ...weather.function,
          parse: JSON.parse,
          function: (args) => {
            asked.push(args);
            return { temperature: 21, sky: "sunny" };
          },
        },
      },
    ],
  });
  const content = await runner.finalContent();
  assert.ok("city" in asked[0]);
  assert.ok(content.length > 0);
});

test("runTools streams: the call's arguments grow and the answer comes behind its result", async () => {
  const asked = [];
  const deltas = [];
  const runner = client.chat.completions.runTools({
    ...request,
    stream: true,
    messages: [{ role: "user", content: "What is the weather in Paris?" }],
    max_completion_tokens: 100,
    tools: [
      {
        ...weather,
        function: { ...weather.function, parse: JSON.parse, function: (args) => asked.push(args) && "sunny" },
      },
    ],
  });
  runner.on("tool_calls.function.arguments.delta", (event) => deltas.push(event.arguments_delta));
  const content = await runner.finalContent();
  assert.ok("city" in asked[0]);
  assert.deepEqual(JSON.parse(deltas.join("")), asked[0]);
  assert.ok(content.length > 0);
});

test("a custom tool is called with text of its grammar, streamed too", async () => {
  const grammar = { syntax: "regex", definition: 'print\\("[a-z]{1,6}"\\)' };
  const body = {
    ...request,
    tools: [{ type: "custom", custom: { name: "run_code", format: { type: "grammar", grammar } } }],
    tool_choice: "required",
    parallel_tool_calls: false,
    max_completion_tokens: 100,
  };
  const [call] = (await client.chat.completions.create(body)).choices[0].message.tool_calls;
  assert.equal(call.type, "custom");
  assert.match(call.custom.input, /^print\("[a-z]{1,6}"\)$/);
  const chunks = await collect(client.chat.completions.create({ ...body, stream: true }));
  const inputs = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []).map((delta) => delta.custom.input);
  assert.equal(inputs.join(""), call.custom.input);
});

test("a response has items, streamed and not, and takes them back", async () => {
  const body = { model, input: "What is the weather in Paris?", temperature: 0, max_output_tokens: 60 };
  const tools = [{ type: "function", ...weather.function, strict: true }];
  const whole = await client.responses.create({ ...body, tools });
  const [call] = whole.output;
  assert.deepEqual([call.type, call.name], ["function_call", "get_weather"]);
  const final = await client.responses.stream({ ...body, tools }).finalResponse();
  assert.equal(final.output[0].arguments, call.arguments);
  const output = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
  const input = [{ role: "user", content: body.input }, ...whole.output, output];
  const answer = await client.responses.create({ ...body, tools, input });
  assert.match(answer.output_text, /sunny/);
  const events = await collect(client.responses.create({ ...body, input: "Hello!", stream: true }));
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, number) => number));
  assert.equal(events.at(-1).type, "response.completed");
});

test("a completion continues a prompt, streamed and not", async () => {
  const body = { model, prompt: "The capital of France is", max_tokens: 10, temperature: 0 };
  const whole = await client.completions.create(body);
  const chunks = await collect(client.completions.create({ ...body, stream: true }));
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.text ?? "").join(""), whole.choices[0].text);
});

test("embeddings are unit vectors", async () => {
  const { data } = await client.embeddings.create({ model, input: ["hello", "good bye"] });
  assert.equal(data.length, 2);
  for (const { embedding } of data) {
    const length = Math.hypot(...embedding);
    assert.ok(Math.abs(length - 1) < 1e-3, `length ${length}`);
  }
});

test("a bad value is refused by name", async () => {
  await assert.rejects(client.chat.completions.create({ ...request, temperature: 3 }), {
    status: 400,
    param: "temperature",
  });
});
