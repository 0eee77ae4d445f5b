// Vercel's AI SDK with its provider for OpenAI-compatible servers, against the server at TRUELINE_URL: tools in a loop, streams, objects.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const provider = createOpenAICompatible({
  name: "trueline",
  baseURL: `${process.env.TRUELINE_URL}/v1`,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const model = provider(process.env.TRUELINE_MODEL);
const person = z.object({ name: z.string().max(20), age: z.number().int().min(0).max(150) });

function weather(asked) {
  return tool({
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string().describe("The city's name") }),
    execute: async (input) => {
      asked.push(input);
      return { temperature: 21, sky: "sunny" };
    },
  });
}

function request(asked) {
  return {
    model,
    prompt: "What is the weather in Paris?",
    tools: { get_weather: weather(asked) },
    stopWhen: stepCountIs(3),
    temperature: 0,
    maxOutputTokens: 100,
    maxRetries: 0,
  };
}

test("generateText calls the tool and answers with its result", async () => {
  const asked = [];
  const answer = await generateText(request(asked));
  assert.deepEqual(asked, [answer.steps[0].toolCalls[0].input]);
  assert.ok("city" in asked[0]);
  assert.deepEqual(answer.steps.map((step) => step.finishReason), ["tool-calls", "stop"]);
  assert.ok(answer.text.length > 0);
  assert.ok(answer.totalUsage.outputTokens > 0);
  assert.deepEqual(answer.warnings, []);
});

test("streamText streams the call's input and ends as generateText does", async () => {
  const asked = [];
  const whole = await generateText(request([]));
  const answer = streamText(request(asked));
  const parts = [];
  for await (const part of answer.fullStream) parts.push(part);
  const input = parts.filter((part) => part.type === "tool-input-delta").map((part) => part.delta);
  assert.deepEqual(JSON.parse(input.join("")), asked[0]);
  assert.equal(parts.filter((part) => part.type === "tool-result").length, 1);
  assert.deepEqual(parts.filter((part) => part.type === "error"), []);
  assert.equal(await answer.text, whole.text);
  assert.equal((await answer.totalUsage).outputTokens, whole.totalUsage.outputTokens);
});

test("a chosen tool is called", async () => {
  const { tools } = request([]);
  const toolChoice = { type: "tool", toolName: "get_weather" };
  const { toolCalls } = await generateText({
    ...request([]), prompt: "Hello!", tools, toolChoice, stopWhen: stepCountIs(1),
  });
  assert.ok(toolCalls.length > 0);
  assert.ok(toolCalls.every((call) => call.toolName === "get_weather" && !call.invalid));
});

test("no tool is called where none may be", async () => {
  const { toolCalls } = await generateText({ ...request([]), toolChoice: "none" });
  assert.deepEqual(toolCalls, []);
});

test("an object comes under its schema", async () => {
  const { output } = await generateText({
    model, prompt: "Ada is 36 years old.", output: Output.object({ schema: person }), temperature: 0, maxRetries: 0,
  });
  assert.ok(person.safeParse(output).success);
});

test("a streamed object grows to one under its schema", async () => {
  const answer = streamText({
    model, prompt: "Ada is 36 years old.", output: Output.object({ schema: person }), temperature: 0, maxRetries: 0,
  });
  let last;
  for await (const partial of answer.partialOutputStream) last = partial;
  assert.ok(person.safeParse(last).success);
});
