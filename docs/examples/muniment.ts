/** Muniment client for Next.js 14 (Node 18 or newer) and Auth.js. One file, no dependency: copy it to lib/muniment.ts.
 * README.md beside this file shows where each function goes. The environment, on the server only, names
 * MUNIMENT_URL and MUNIMENT_SERVICE_KEY (a key with the scope `ingest`; never as NEXT_PUBLIC_...).
 *
 * What it promises: `record()` only puts a record into a bounded buffer, it never waits and never throws. A record has
 * its id and timestamp before the first attempt, so the server knows a retry and stores it once. One request is under
 * way at a time, so records arrive in order. What had to be dropped is counted, and the count is sent as a record
 * (`custom.records_dropped`) once the server accepts again. The buffer is memory: `flush()` before the process ends. */

// In a Next.js project take the next line out of its comment: `next build` then fails, naming the import chain, when a
// client component imports this file, before a browser ever sees it. Next.js brings the module; plain Node does not.
// import "server-only";
if (typeof window !== "undefined") throw new Error("muniment.ts uses a service key: load it on the server only");

declare const process: { env: Record<string, string | undefined> }; // for projects without @types/node

const [MOST_RECORDS, MOST_BYTES] = [1_000, 4 * 1024 * 1024]; // the server's limits for one request
const MOST_RETRY_AFTER_MS = 600_000;
const SPLIT_ON = new Set([400, 413, 422]); // about the content: one record may spoil the request for its neighbours

type Maybe<T> = T | undefined;
type Family =
  | "auth" | "session" | "record" | "file" | "permission" | "role" | "user" | "secret" | "config" | "deploy" | "job"
  | "ai" | "api" | "admin" | "custom";

/** One session log, as `POST /api/v1/session-logs` takes it. `id` and `timestamp` are filled in when left out. */
export interface SessionLog {
  action: `${Family}.${string}`; sessionId: string;
  id?: Maybe<string>; userId?: Maybe<string>;
  timestamp?: Maybe<Date | string>;
  metadata?: Maybe<Record<string, unknown>>;
  ipAddress?: Maybe<string>; userAgent?: Maybe<string>;
  outcome?: Maybe<"success" | "failure" | "denied">; target?: Maybe<{ type: string; id: string }>;
  aiModelUsed?: Maybe<string>; sensitive?: Maybe<boolean>; duration?: Maybe<number>; // in ms
  traceId?: Maybe<string>; sequence?: Maybe<number>;
}

/** A record that the server refused, or that could not be sent at all (status 0); it holds no value of the record. */
export interface Rejection { id: string; action: string; status: number; path: string | null; reason: string }

export interface Options {
  url: string; key: string; // https, or http to a loopback address
  batchRecords?: number; // send at so many records (at most 1,000) ...
  batchBytes?: number; // ... or bytes of JSON (at most 4 MiB) ...
  intervalMs?: number; // ... or so long after the first one
  capacityRecords?: number; // bounds of the buffer, the request under way included; a full buffer drops what comes
  capacityBytes?: number; // next and keeps what led up to the outage: noise cannot push evidence out
  timeoutMs?: number; gzip?: boolean; // of one request
  retryFirstMs?: number; retryMostMs?: number; // back-off: doubles from one to the other, half of it random
  onRejected?: (rejection: Rejection) => void;
}

export interface Stats {
  waiting: number; accepted: number; dropped: number; // for any reason: buffer full, refused, rejected, unreadable
  lastFailure: string | null; // of the latest attempt: "HTTP 503", "TypeError"; null when it was accepted
}

type Losses = { dropped: number; since: string };
/** A record in the buffer: encoded at once, so that what the caller changes later does not change it. */
type Waiting = { id: string; action: string; json: string; bytes: number; losses?: Losses };
type Answer = { status: number; retryAfterMs?: Maybe<number>; body: unknown; failure: string };
type Receipt = { status?: string; path?: string | null; reason?: string };

export class Muniment {
  readonly #options: Required<Options>; readonly #endpoint: string;
  readonly #processSession = `process-${crypto.randomUUID()}`; // the session of this client's own records
  #queue: Waiting[] = [];
  #waiting = 0; #waitingBytes = 0; // in the queue and under way
  #timer: unknown; #draining: Maybe<Promise<void>>; #cutPause: Maybe<() => void>;
  #losses: Maybe<Losses>; #serverAccepts = false;
  #accepted = 0; #dropped = 0; #lastFailure: string | null = null;

  /** Throws on a URL that would send the key in the clear, and on a key that is none. */
  constructor(options: Options) {
    const { protocol, hostname } = new URL(options.url);
    const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
    if (protocol !== "https:" && !(protocol === "http:" && loopback)) throw new Error("MUNIMENT_URL must be https");
    if (!/^[\x21-\x7e]+$/.test(options.key)) throw new Error("MUNIMENT_SERVICE_KEY is not a service key");
    this.#endpoint = `${options.url.replace(/\/+$/, "")}/api/v1/session-logs`;
    this.#options = {
      intervalMs: 1_000, timeoutMs: 10_000, retryFirstMs: 500, retryMostMs: 30_000,
      capacityRecords: 10_000, capacityBytes: 16 * 1024 * 1024,
      gzip: true, onRejected: warnNowAndThen(),
      ...options,
      batchRecords: clamp(options.batchRecords ?? 500, MOST_RECORDS),
      batchBytes: clamp(options.batchBytes ?? 1024 * 1024, MOST_BYTES),
    };
  }

  /** Takes a record for sending and returns its id. Never waits, never throws. */
  record(entry: SessionLog): string {
    const id = entry?.id ?? crypto.randomUUID(); // now: a retry must carry the same
    try {
      const item = encode({ ...entry, id, timestamp: entry.timestamp ?? new Date() });
      if (item.bytes > MOST_BYTES - 2) this.#reject(item, 0, null, "larger than a request may be");
      else this.#put(item);
    } catch {
      this.#reject({ id, action: String(entry?.action), json: "", bytes: 0 }, 0, null, "cannot be written as JSON");
    }
    return id;
  }

  /** Sends what waits, for at most `limitMs`; gives the number of records that are still unsent. Never throws. */
  async flush(limitMs = 5_000): Promise<number> {
    const end = Date.now() + limitMs;
    this.#cutPause?.();
    while ((this.#waiting > 0 || this.#owesReport()) && Date.now() < end) {
      this.#start();
      await within(this.#draining, end - Date.now());
    }
    return this.#waiting;
  }

  stats(): Stats {
    return { waiting: this.#waiting, accepted: this.#accepted, dropped: this.#dropped, lastFailure: this.#lastFailure };
  }

  #put(item: Waiting): void {
    const bytes = this.#waitingBytes + item.bytes;
    if (this.#waiting >= this.#options.capacityRecords || bytes > this.#options.capacityBytes) return this.#lose();
    this.#queue.push(item);
    this.#hold(item);
    if (this.#hasFullBatch()) this.#start();
    else this.#startLater();
  }
  #hold(item: Waiting): void { this.#waiting += 1; this.#waitingBytes += item.bytes; }
  #leave(batch: Waiting[]): void { this.#waiting -= batch.length; this.#waitingBytes -= size(batch); }
  #hasFullBatch(): boolean {
    return this.#queue.length >= this.#options.batchRecords || this.#waitingBytes >= this.#options.batchBytes;
  }
  #owesReport(): boolean { return this.#serverAccepts && this.#losses !== undefined; }
  #startLater(): void {
    this.#timer ??= unref(setTimeout(() => {
      this.#timer = undefined;
      this.#start();
    }, this.#options.intervalMs));
  }
  #start(): void {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
      if (this.#queue.length > 0) this.#startLater();
    });
  }
  async #drain(): Promise<void> {
    clearTimeout(this.#timer as number);
    this.#timer = undefined;
    await undefined; // the rest is not done on the time of the record() that filled the batch
    do {
      const batch = this.#takeBatch();
      if (batch.length > 0) await this.#deliver(batch);
    } while (this.#hasFullBatch() || this.#owesReport());
  }
  #takeBatch(): Waiting[] {
    const batch = this.#owesReport() ? [this.#report()] : [];
    let [bytes, count] = [size(batch) + 2, 0]; // with the brackets
    for (const item of this.#queue) {
      bytes += item.bytes + 1; // and a comma
      if (batch.length + count >= this.#options.batchRecords || (count > 0 && bytes > this.#options.batchBytes)) break;
      count += 1;
    }
    return [...batch, ...this.#queue.splice(0, count)];
  }
  async #deliver(batch: Waiting[]): Promise<void> {
    const json = `[${batch.map((item) => item.json).join(",")}]`;
    const body = this.#options.gzip ? await gzipped(json) : json;
    for (let attempt = 0; ; attempt += 1) {
      const flushed = new Promise<void>((resolve) => (this.#cutPause = resolve));
      const answer = await this.#post(body);
      this.#lastFailure = answer.status === 202 ? null : answer.failure;
      if (answer.status === 202) return this.#settle(batch, answer);
      const isFinal = answer.status >= 400 && answer.status < 500 && ![408, 429].includes(answer.status);
      if (isFinal) return this.#refuse(batch, answer);
      await this.#pause(answer.retryAfterMs, attempt, flushed);
    }
  }
  async #post(body: string | ArrayBuffer): Promise<Answer> {
    const encoding = typeof body === "string" ? {} : { "content-encoding": "gzip" };
    const headers = { authorization: `Bearer ${this.#options.key}`, "content-type": "application/json", ...encoding };
    // A redirect is not followed: it would carry records elsewhere. `internal` tells Next.js that a send which began
    // while a page rendered is no part of that page: in a static one it would be refused for ever, or cached on disk.
    const init = { method: "POST", headers, body, redirect: "manual", next: { internal: true } } as RequestInit;
    try {
      const response = await fetch(this.#endpoint, { ...init, signal: AbortSignal.timeout(this.#options.timeoutMs) });
      const retryAfterMs = retryAfter(response.headers.get("retry-after"));
      const answered: unknown = await response.json().catch(() => null);
      return { status: response.status, retryAfterMs, body: answered, failure: `HTTP ${response.status}` };
    } catch (error) {
      return { status: 0, body: null, failure: error instanceof Error ? error.name : "Error" };
    }
  }
  #settle(batch: Waiting[], answer: Answer): void {
    this.#serverAccepts = true;
    const { receipts } = (answer.body ?? {}) as { receipts?: Receipt[] | null }; // one per record, in their order
    this.#leave(batch);
    batch.forEach((item, index) => {
      const { status, path = null, reason = "rejected" } = receipts?.[index] ?? {};
      if (status === "rejected") this.#reject(item, 202, path, reason);
      else if (!item.losses) this.#accepted += 1;
    });
  }

  /** Halves the batch until the record that spoils it stands alone; only a refusal of the sender itself loses all. */
  async #refuse(batch: Waiting[], answer: Answer): Promise<void> {
    const aboutContent = SPLIT_ON.has(answer.status);
    if (aboutContent && batch.length > 1) {
      await this.#deliver(batch.slice(0, batch.length >> 1));
      return this.#deliver(batch.slice(batch.length >> 1));
    }
    if (!aboutContent) this.#serverAccepts = false;
    this.#leave(batch);
    for (const item of batch) {
      if (item.losses && !aboutContent) this.#owe(item.losses);
      else this.#reject(item, answer.status, null, textIn(answer.body, "title") ?? answer.failure);
    }
  }
  #reject(item: Waiting, status: number, path: string | null, reason: string): void {
    if (!item.losses) this.#lose(); // a report that is itself rejected is not reported again
    try {
      this.#options.onRejected({ id: item.id, action: item.action, status, path, reason: reason.slice(0, 300) });
    } catch { /* The callback is the caller's: its failure must not stop the sending. */ }
  }
  #lose(): void { this.#dropped += 1; this.#owe({ dropped: 1, since: new Date().toISOString() }); }
  #owe({ dropped, since }: Losses): void {
    const owed = this.#losses ?? { dropped: 0, since };
    this.#losses = { dropped: owed.dropped + dropped, since: owed.since < since ? owed.since : since };
  }
  #report(): Waiting {
    const losses = this.#losses as Losses;
    this.#losses = undefined;
    const own = { id: crypto.randomUUID(), timestamp: new Date(), sessionId: this.#processSession };
    const report = { ...encode({ ...own, action: "custom.records_dropped", metadata: losses }), losses };
    this.#hold(report);
    return report;
  }

  /** The server's Retry-After is kept to, flush or not; a flush cuts only a back-off of our own short. */
  async #pause(retryAfterMs: Maybe<number>, attempt: number, flushed: Promise<void>): Promise<void> {
    const { retryFirstMs, retryMostMs } = this.#options;
    const backOff = Math.min(retryMostMs, retryFirstMs * 2 ** Math.min(attempt, 30)) * (0.5 + Math.random() / 2);
    const wait = retryAfterMs === undefined ? backOff : retryAfterMs + Math.random() * retryFirstMs;
    const waited = new Promise<void>((resolve) => unref(setTimeout(resolve, wait)));
    await (retryAfterMs === undefined ? Promise.race([waited, flushed]) : waited);
  }
}

function encode(entry: SessionLog & { id: string }): Waiting {
  const json = JSON.stringify(entry, (_key, value: unknown) => {
    const text = typeof value === "bigint" ? value.toString() : value;
    return typeof text === "string" ? text.replace(/\p{Surrogate}/gu, "\ufffd") : text; // only lone ones match
  });
  return { id: entry.id, action: entry.action, json, bytes: new TextEncoder().encode(json).length };
}

function retryAfter(header: string | null): Maybe<number> {
  const ms = /^\s*\d+\s*$/.test(header ?? "") ? Number(header) * 1_000 : Date.parse(header ?? "") - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MOST_RETRY_AFTER_MS);
}

async function gzipped(text: string): Promise<string | ArrayBuffer> {
  try {
    return await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
  } catch { return text; } // the edge runtime of Next.js cannot compress
}

const clamp = (wanted: number, most: number): number => Math.max(1, Math.min(wanted, most));
const size = (items: Waiting[]): number => items.reduce((sum, item) => sum + item.bytes, 0);
/** A timer that keeps no process alive. */
const unref = (timer: unknown): unknown => { (timer as { unref?: () => void }).unref?.(); return timer; };

async function within(work: Promise<void> | undefined, limitMs: number): Promise<void> {
  let timer: Maybe<number>;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs) as unknown as number));
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

function warnNowAndThen(): (rejection: Rejection) => void {
  let quietUntil = 0;
  return ({ id, status, path, reason }) => {
    if (Date.now() < quietUntil) return;
    quietUntil = Date.now() + 60_000;
    console.warn("muniment: record %s refused (%d) %s: %s", id, status, path ?? "", reason);
  };
}

function textIn(value: unknown, name: string): Maybe<string> {
  const found = (value as Maybe<Record<string, unknown>>)?.[name];
  return typeof found === "string" && found !== "" ? found : undefined;
}

// The client of this process ---------------------------------------------------------------------------------------
const SHARED = Symbol.for("muniment.client"); // Next.js bundles this file several times: all copies share one buffer
type Shared = { [SHARED]?: Muniment | null };

/** Made on first use from the environment; null, and said once, when that names no server or key. */
export function muniment(): Muniment | null {
  const shared = globalThis as Shared;
  if (shared[SHARED] !== undefined) return shared[SHARED];
  try {
    const { MUNIMENT_URL: url, MUNIMENT_SERVICE_KEY: key } = process.env;
    if (!url || !key) throw new Error("MUNIMENT_URL or MUNIMENT_SERVICE_KEY is not set");
    return (shared[SHARED] = new Muniment({ url, key }));
  } catch (error) {
    console.error("muniment: no session log will be sent: %s", error instanceof Error ? error.message : "Error");
    return (shared[SHARED] = null);
  }
}

/** For route handlers, server actions and middleware: takes a record for sending, gives its id. Never throws. */
export const record = (entry: SessionLog): string | null => muniment()?.record(entry) ?? null;

/** Sends what waits, see `Muniment.flush`: before the process ends, and in `waitUntil` where it is frozen when idle. */
export const flush = async (limitMs?: number): Promise<number> => (await muniment()?.flush(limitMs)) ?? 0;

export type RequestContext = Pick<SessionLog, "ipAddress" | "userAgent">;

/** Address and agent of a request. Whoever sends a request can write X-Forwarded-For, and each proxy adds its peer at
 * the end: the address counts from the right, past the proxies that are yours. */
export function requestContext(headers: { get(name: string): string | null }, ownProxies = 1): RequestContext {
  const hops = (headers.get("x-forwarded-for") ?? "").split(",").map((hop) => hop.trim().replace(/^::ffff:/, ""));
  return {
    ipAddress: hops.at(-ownProxies)?.slice(0, 255) || undefined,
    userAgent: headers.get("user-agent")?.slice(0, 1024) || undefined,
  };
}

// Auth.js ----------------------------------------------------------------------------------------------------------
type Person = { id?: Maybe<string>; email?: Maybe<string | null> };
type About = { user?: Maybe<Person>; session?: unknown; token?: unknown };

export interface AuthEventOptions {
  client?: { record(entry: SessionLog): unknown };
  context?: () => RequestContext | Promise<RequestContext>; // e.g. () => requestContext(headers())
  heartbeatMs?: number; // a session that is read often is recorded once in so long
}

const sessionIds = new WeakMap<object, string>(); // of a user who is just signing in

/** For `callbacks.jwt`: gives each sign-in a session id of its own, `token.sid`, kept while the session lasts. (`jti`
 * changes whenever the cookie is renewed.) It resolves to nothing, so it may be logged; a session token may not. */
export function withSessionId<T extends object>({ token, user }: { token: T; user?: unknown }): T & { sid: string } {
  const sid = (user ? undefined : textIn(token, "sid")) ?? crypto.randomUUID();
  if (typeof user === "object" && user !== null) sessionIds.set(user, sid);
  return { ...token, sid };
}

/** The `events` of an Auth.js configuration as session logs. None of them waits or throws. */
export function authEvents({ client = { record }, context, heartbeatMs = 300_000 }: AuthEventOptions = {}) {
  const beats = new Map<string, number>();
  const write = async (action: SessionLog["action"], about: About, more: Partial<SessionLog> = {}): Promise<void> => {
    const timestamp = new Date();
    const from = await Promise.resolve().then(context).catch(() => undefined); // no request: still a record
    const sessionId = await sessionIdOf(about);
    client.record({ action, sessionId, userId: nameOf(about), timestamp, outcome: "success", ...from, ...more });
  };
  const isDue = (session: string): boolean => {
    const now = Date.now();
    if (now - (beats.get(session) ?? -Infinity) < heartbeatMs) return false;
    beats.delete(session); beats.set(session, now); // now the youngest
    if (beats.size > 10_000) beats.delete(beats.keys().next().value as string); // the oldest
    return true;
  };
  const itself = (user: Person) => ({ target: { type: "user", id: nameOf({ user }) ?? "unknown" } });
  return {
    signIn({ user, account, isNewUser }: { user: Person; account?: unknown; isNewUser?: Maybe<boolean> }): void {
      const metadata = { provider: textIn(account, "provider"), type: textIn(account, "type"), newUser: isNewUser };
      void write("auth.login", { user }, { metadata });
    },
    signOut: (about: About): void => void write("auth.logout", about),
    createUser: ({ user }: { user: Person }): void => void write("user.create", { user }, itself(user)),
    updateUser: ({ user }: { user: Person }): void => void write("user.update", { user }, itself(user)),
    linkAccount: ({ user, account }: { user: Person; account: unknown }): void =>
      void write("user.update", { user }, { metadata: { linkedProvider: textIn(account, "provider") } }),
    session(about: About): void {
      const key = knownSessionId(about) ?? textIn(about.session, "sessionToken") ?? nameOf(about) ?? "";
      if (isDue(key)) void write("session.heartbeat", about);
    },
  };
}

/** E-mail address before id: without a database Auth.js makes a new id at every sign-in. */
function nameOf({ user, session, token }: About): Maybe<string> {
  const person = user ?? (session as Maybe<{ user?: Person }>)?.user ?? token;
  return textIn(person, "email") ?? textIn(person, "id") ?? textIn(person, "sub") ?? textIn(session, "userId");
}

function knownSessionId({ user, session, token }: About): Maybe<string> {
  return textIn(token, "sid") ?? textIn(session, "sid") ?? (user && sessionIds.get(user));
}

async function sessionIdOf(about: About): Promise<string> {
  const bearer = textIn(about.session, "sessionToken"); // signs whoever holds it in: only its digest leaves
  return knownSessionId(about) ?? (bearer ? await digest(bearer) : `user:${nameOf(about) ?? "unknown"}`);
}

async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `sha256:${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
