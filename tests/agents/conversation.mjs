// A conversation with the server at the address that is given; prints what this side saw of it, as JSON.

import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents/realtime';
import { z } from 'zod';

const PACKET_MS = 20;
const SAMPLES = (24000 * PACKET_MS) / 1000;
const LOUD = new Int16Array(SAMPLES).fill(16000).buffer;
const QUIET = new Int16Array(SAMPLES).buffer;

const weather = tool({
  name: 'weather',
  description: 'The weather in a city.',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `rain in ${city}`,
});
const poet = new RealtimeAgent({ name: 'Poet', instructions: 'Be a poet.' });
const greeter = new RealtimeAgent({
  name: 'Greeter',
  instructions: 'Be brief.',
  voice: 'marin',
  tools: [weather],
  handoffs: [poet],
});
const session = new RealtimeSession(greeter, { transport: 'websocket' });

const seen = { errors: [], events: [], understood: [], interruptions: 0, seconds: {} };
session.on('error', ({ error }) => seen.errors.push(String(error?.error?.message ?? error)));
session.on('audio_interrupted', () => (seen.interruptions += 1));
session.on('audio', ({ data, responseId }) => {
  seen.seconds[responseId] = (seen.seconds[responseId] ?? 0) + data.byteLength / 2 / 24000;
});

// an event that the kit cannot make sense of comes as '*' alone
let waiting = [];
const kinds = new Set();
session.transport.on('*', (event) => {
  seen.events.push(event);
  if (!kinds.has(event.type)) {
    kinds.add(event.type);
    session.transport.on(event.type, () => seen.understood.push(event.type));
  }
  setImmediate(() => waiting.splice(0).forEach((goOn) => goOn()));
});

const all = (type) => seen.events.filter((event) => event.type === type);
const until = async (happened) => {
  while (!happened()) await new Promise((goOn) => waiting.push(goOn));
};
const responses = (count) => until(() => all('response.done').length >= count);
const ask = () => {
  for (let ms = 0; ms < 400; ms += PACKET_MS) session.sendAudio(LOUD);
  for (let ms = 0; ms < 600; ms += PACKET_MS) session.sendAudio(QUIET);
};
const sounding = async () => {
  const before = all('response.output_audio.delta').length;
  await until(() => all('response.output_audio.delta').length > before + 10);
  return all('response.output_audio.delta').at(-1).item_id;
};
const cut = (item) =>
  until(() => all('conversation.item.retrieved').some((event) => event.item.id === item));

await session.connect({ apiKey: 'none', url: process.argv[2] });
ask(); // is answered
await responses(1);
ask(); // makes the model call a function, then say what it got
await responses(3);
session.sendMessage('Tell me a story.');
const story = await sounding();
ask(); // stops it, and is answered
await Promise.all([responses(5), cut(story)]);
session.sendMessage('And another one.');
const another = await sounding();
session.interrupt();
await Promise.all([responses(6), cut(another)]);
ask(); // hands over to the poet
await responses(8);
session.close();

const { errors, interruptions, seconds } = seen;
const types = seen.events.map((event) => event.type);
const [history, agent] = [session.history, session.currentAgent.name];
const obscure = types.filter((type) => !seen.understood.includes(type));
console.log(JSON.stringify({ errors, obscure, types, interruptions, seconds, history, agent }));
