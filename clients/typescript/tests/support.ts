/** What the tests over a real server share: its address and tokens from the environment, a cable that can be cut. */

import { readFileSync } from "node:fs";
import { createServer, connect, type AddressInfo, type Socket } from "node:net";

import { ScanrillSocket, type ConnectionState, type SocketOptions, type UploadEvent } from "../src/index.ts";

function given(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: these tests are run by the server's test suite`);
  return value;
}

/** `http://host:port` of a server with the `dummy` engine. */
export const base = given("SCANRILL_TEST_URL");
export const token = given("SCANRILL_TEST_TOKEN");
export const expiredToken = given("SCANRILL_TEST_EXPIRED_TOKEN");

/** A scan that nobody has sent yet; `name` is one of those that the test suite has drawn. */
export function scan(name: string): Blob {
  return new Blob([readFileSync(`${given("SCANRILL_TEST_SCANS")}/${name}`)]);
}

/** A socket whose events and states can be waited for. */
export class Heard {
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
        onEvent: (event) => this.#note(() => this.events.push(event)),
        onState: (state) => this.#note(() => this.states.push(state.kind)),
        onConnected: (connected) => this.#note(() => this.connections.push(connected)),
      },
    });
    this.socket.start();
  }

  /** The first value that is not undefined, of now or of later. */
  async until<Value>(find: (heard: Heard) => Value | undefined): Promise<Value> {
    for (;;) {
      const found = find(this);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  connected(times = 1): Promise<true> {
    return this.until(({ connections }) => (connections.length >= times ? true : undefined));
  }

  #note(take: () => void): void {
    take();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Between a client and the server: passes all on, until it is cut or goes deaf. */
export class Cable {
  #deaf = false;
  readonly #ends = new Set<Socket>();
  readonly #server = createServer((near) => {
    const far = connect(Number(new URL(base).port), "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.add(from);
      from.on("data", (data) => this.#deaf || to.write(data));
      from.on("close", () => to.destroy());
      from.on("error", () => to.destroy());
    }
  });

  static async laid(): Promise<Cable> {
    const cable = new Cable();
    await new Promise<void>((resolve) => cable.#server.listen(0, "127.0.0.1", resolve));
    return cable;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All connections break; new ones pass. */
  cut(): void {
    this.#deaf = false;
    for (const end of this.#ends) end.destroy();
    this.#ends.clear();
  }

  /** Connections stand, and nothing comes through. */
  goDeaf(): void {
    this.#deaf = true;
  }

  hearAgain(): void {
    this.#deaf = false;
  }

  takeAway(): void {
    this.#server.close();
    this.cut();
  }
}
