// Runs docs/examples/muniment.ts as a service would: reads commands, a line each, and answers them.
import { createInterface } from "node:readline";
import { authEvents, flush as flushDefault, Muniment, record as recordByDefault, requestContext, withSessionId }
  from "./muniment.js";

let client;
const rejections = [];

const commands = {
  open_client({ url, key, options }) {
    client = new Muniment({ url, key, ...options, onRejected: (rejection) => rejections.push(rejection) });
  },

  /** Records `count` records numbered from `first`; gives how long the calls took, in ms. */
  record({ first, count, metadata, padding = 0 }) {
    const tookMs = [];
    for (let n = first; n < first + count; n += 1) {
      const more = { ...metadata, n, ...(padding ? { padding: "x".repeat(padding) } : {}) };
      const start = performance.now();
      client.record({ action: "record.view", sessionId: "s-1", userId: "ana", metadata: more });
      tookMs.push(performance.now() - start);
    }
    tookMs.sort((a, b) => a - b);
    return { median: tookMs[count >> 1], p99: tookMs[Math.floor(count * 0.99)], most: tookMs.at(-1) };
  },

  unreadable() {
    const circle = { note: "value-of-the-record" };
    circle.self = circle;
    client.record({ action: "record.view", sessionId: "s-1", metadata: circle });
    client.record(undefined);
  },

  changed_later() {
    const metadata = { n: 1 };
    client.record({ action: "record.view", sessionId: "s-1", metadata });
    metadata.n = 2;
  },

  async flush({ limit_ms: limitMs }) {
    const start = performance.now();
    await client.flush(limitMs);
    return { ...client.stats(), tookMs: performance.now() - start };
  },

  stats: () => client.stats(),
  rejected: () => ({ rejections }),

  /** The life of two sessions, in the messages that Auth.js gives: one with a JWT, one in a database. */
  async auth_events() {
    const headers = new Headers({ "x-forwarded-for": "203.0.113.9, 198.51.100.7", "user-agent": "Browser/1" });
    const events = authEvents({ client, context: () => requestContext(headers) });
    const user = { id: "u-1", email: "ana@example.com" };
    const token = withSessionId({ token: { sub: "u-1", email: "ana@example.com" }, user });
    const renewed = withSessionId({ token: { ...token, jti: "new" } });
    events.createUser({ user });
    events.signIn({ user, account: { provider: "github", type: "oauth" }, isNewUser: true });
    for (let reads = 0; reads < 3; reads += 1) events.session({ session: { user }, token: renewed });
    events.signOut({ token: renewed });
    events.signOut({ session: { sessionToken: "the-bearer-token", userId: "u-2" } });
    const failing = authEvents({ client, context: () => { throw new Error("no request here"); } });
    failing.updateUser({ user });
    return { sid: token.sid };
  },

  async by_environment() {
    const metadata = { text: "half \ud83d", big: 2n ** 60n };
    const id = recordByDefault({ action: "api.call", sessionId: "s-1", metadata });
    return { id, waiting: await flushDefault(10_000) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const answer = await Promise.resolve(asked).then(commands[asked.do]).catch((error) => ({ error: error.message }));
  console.log(JSON.stringify(answer ?? {}));
}
