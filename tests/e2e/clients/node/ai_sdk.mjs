// One program that uses the Vercel AI SDK as an application would: a tool loop with a tool that
// fails, a stream, an object, a rate limit, a broken model, a refusal, an embedding.
//
//     node ai_sdk.mjs 6|7 json|proto|grpc PROMPT
//
// MODEL_URL is the model server; SESSION_ID, when set, is told as each version can. Where telemetry
// goes is said by the variables of OpenTelemetry's specification. Runs beside a node_modules made
// from ai-sdk/package-lock.json. What OpenTelemetry has to complain about stands on stderr.

import { context, diag, DiagConsoleLogger, DiagLogLevel, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { detectResources, envDetector, hostDetector, processDetector,
  serviceNameEnvDetector } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { z } from 'zod';

const [version, protocol, prompt] = process.argv.slice(2);
const { MODEL_URL, SESSION_ID } = process.env;
const exporters = { json: 'http', proto: 'proto', grpc: 'grpc' };
globalThis.AI_SDK_LOG_WARNINGS = false;

diag.setLogger(new DiagConsoleLogger(), { logLevel: DiagLogLevel.WARN });
context.setGlobalContextManager(new AsyncLocalStorageContextManager());
const { OTLPTraceExporter } = await import(
  `@opentelemetry/exporter-trace-otlp-${exporters[protocol]}`);
const provider = new TracerProvider({
  // The detectors that OpenTelemetry's Node SDK runs by default: the command line among them.
  resource: detectResources(
    { detectors: [envDetector, serviceNameEnvDetector, processDetector, hostDetector] }),
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
trace.setGlobalTracerProvider(provider);

const { createOpenAI } = await import(version === '6' ? 'openai6' : '@ai-sdk/openai');
const sdk = await import(version === '6' ? 'ai6' : 'ai');
const openai = createOpenAI({ baseURL: MODEL_URL, apiKey: 'none' });

/** What a call is given beside its own arguments. */
function telemetry(functionId) {
  if (version === '6') {
    const metadata = { sessionId: SESSION_ID, userId: 'user-77', email: prompt };
    return { experimental_telemetry: { isEnabled: true, functionId, metadata } };
  }
  if (SESSION_ID === undefined) return { telemetry: { functionId } };
  return {
    runtimeContext: { sessionId: SESSION_ID },
    telemetry: { functionId, includeRuntimeContext: { sessionId: true } },
  };
}

let failures = 0;
const tools = {
  lookup_customer: sdk.tool({
    description: 'Finds a customer.',
    inputSchema: z.object({ email: z.string(), phone: z.string() }),
    execute: async () => ({ customer: prompt, status: 'gold' }),
  }),
  flaky_tool: sdk.tool({
    description: 'Works the third time.',
    inputSchema: z.object({ api_key: z.string(), attempt_note: z.string() }),
    execute: async () => {
      if (++failures < 3) throw new Error(`temporarily unavailable for ${prompt}`);
      return { customer: prompt };
    },
  }),
};

/** An application goes on after a call that failed. */
async function attempt(name, call) {
  try {
    await call();
  } catch (error) {
    console.log(`${name}: ${error.name}`);
  }
}

function ask(name, over = {}) {
  return { model: openai.chat(name), prompt, maxRetries: 0, ...telemetry('refunds'), ...over };
}

if (version === '7') {
  const { OpenTelemetry } = await import('@ai-sdk/otel');
  sdk.registerTelemetry(new OpenTelemetry({ runtimeContext: true }));
}
const schema = z.object({ name: z.string(), refund: z.number() });
await attempt('tools', () => sdk.generateText(
  ask('gpt-fake-tools', { tools, stopWhen: sdk.stepCountIs(8), system: 'Be brief.' })));
await attempt('stream', () => sdk.streamText(ask('gpt-fake-stream')).consumeStream());
await attempt('object', () => sdk.generateObject(ask('gpt-fake-object', { schema })));
await attempt('flaky', () => sdk.generateText(ask('gpt-fake-flaky', { maxRetries: 2 })));
await attempt('down', () => sdk.generateText(ask('gpt-fake-down')));
await attempt('refuse', () => sdk.generateText(ask('gpt-fake-refuse')));
await attempt('embed', () => sdk.embed({
  model: openai.embedding('text-embedding-fake'), value: prompt, ...telemetry('refunds') }));
await provider.shutdown();
