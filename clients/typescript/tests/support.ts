/** Helpers for tests with a real server: its environment, an event recorder and a TCP proxy. */

import { readFileSync } from "node:fs";
import { createServer, connect, type AddressInfo, type Socket } from "node:net";

import { ScanrillSocket, type ConnectionState, type SocketOptions, type UploadEvent } from "../src/index.ts";

function requiredEnv(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set. Run these tests with tests/clients/test_typescript.py.`);
  return value;
}

/** URL of a server with the `dummy` engine: `http://host:port`. */
export const base = requiredEnv("SCANRILL_TEST_URL");
export const token = requiredEnv("SCANRILL_TEST_TOKEN");
export const expiredToken = requiredEnv("SCANRILL_TEST_EXPIRED_TOKEN");

/** Load a scan that the test suite has generated. */
export function scan(name: string): Blob {
  return new Blob([readFileSync(`${requiredEnv("SCANRILL_TEST_SCANS")}/${name}`)]);
}

/** A started socket that records its events and states. */
export class EventRecorder {
  readonly events: UploadEvent[] = [];
  readonly states: ConnectionState["kind"][] = [];
  readonly connections: { readonly recovered: boolean }[] = [];
  readonly socket: ScanrillSocket;
  #waiting: (() => void)[] = [];

  constructor(options: Partial<SocketOptions> = {}, url = base) {
    this.socket = new ScanrillSocket({
      url: `${url.replace(/^http/, "ws")}/ws/core/upload/`,
      token: () => Promise.resolve(token),
      stream: "pages",
      ...options,
      listener: {
        onEvent: (event) => this.#record(() => this.events.push(event)),
        onState: (state) => this.#record(() => this.states.push(state.kind)),
        onConnected: (connection) => this.#record(() => this.connections.push(connection)),
      },
    });
    this.socket.start();
  }

  /** Wait until `find` returns a value that is not undefined, and return it. */
  async until<Value>(find: (recorder: EventRecorder) => Value | undefined): Promise<Value> {
    for (;;) {
      const found = find(this);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Wait for the given number of connections since the start. */
  waitConnected(times = 1): Promise<true> {
    return this.until(({ connections }) => (connections.length >= times ? true : undefined));
  }

  #record(record: () => void): void {
    record();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** TCP proxy before the server that can drop connections or stop forwarding. */
export class TcpProxy {
  #isPaused = false;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => {
    const far = connect(Number(new URL(base).port), "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (data) => this.#isPaused || to.write(data));
      from.on("close", () => to.destroy());
      from.on("error", () => to.destroy());
    }
  });

  /** Start a proxy on a free port. */
  static async listen(): Promise<TcpProxy> {
    const proxy = new TcpProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Close all connections; new ones are accepted. */
  dropConnections(): void {
    this.#isPaused = false;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** Keep connections open and discard all data. */
  pauseTraffic(): void {
    this.#isPaused = true;
  }

  resumeTraffic(): void {
    this.#isPaused = false;
  }

  close(): void {
    this.#server.close();
    this.dropConnections();
  }
}
