/** What the tests over a real server share: its address and tokens from the environment, a cable that can be cut. */

import { readFileSync } from "node:fs";
import { createServer, connect, type AddressInfo, type Socket } from "node:net";

import { ScanrillSocket, type ConnectionState, type SocketOptions, type UploadEvent } from "../src/index.ts";

function requiredEnv(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: these tests are run by the server's test suite`);
  return value;
}

/** `http://host:port` of a server with the `dummy` engine. */
export const base = requiredEnv("SCANRILL_TEST_URL");
export const token = requiredEnv("SCANRILL_TEST_TOKEN");
export const expiredToken = requiredEnv("SCANRILL_TEST_EXPIRED_TOKEN");

/** A scan that nobody has sent yet; `name` is one of those that the test suite has drawn. */
export function scan(name: string): Blob {
  return new Blob([readFileSync(`${requiredEnv("SCANRILL_TEST_SCANS")}/${name}`)]);
}

/** A socket whose events and states can be waited for. */
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
        onConnected: (waitConnected) => this.#record(() => this.connections.push(waitConnected)),
      },
    });
    this.socket.start();
  }

  /** The first value that is not undefined, of now or of later. */
  async until<Value>(find: (recorder: EventRecorder) => Value | undefined): Promise<Value> {
    for (;;) {
      const found = find(this);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

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

/** Between a client and the server: passes all on, until it is cut or goes deaf. */
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

  static async listen(): Promise<TcpProxy> {
    const proxy = new TcpProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All connections break; new ones pass. */
  dropConnections(): void {
    this.#isPaused = false;
    for (const end of this.#sockets) end.destroy();
    this.#sockets.clear();
  }

  /** Connections stand, and nothing comes through. */
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
