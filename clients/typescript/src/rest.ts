/** The REST API: what is too big for one WebSocket message, or is a file. */

import { RequestError } from "./errors.ts";
import { sendRequest, errorFromResponse } from "./http.ts";
import { definedOptions, type Engine, type Page, type UploadMessage, type ReadOptions } from "./protocol.ts";
import type { TokenSource } from "./token.ts";

export interface Me {
  readonly username: string;
  /** 0 = unlimited. */
  readonly max_upload_bytes: number;
  readonly version: string;
}

export interface Engines {
  readonly engines: readonly Engine[];
  /** Which reads where nobody asks for one. */
  readonly default: string;
}

export interface UploadOptions extends ReadOptions {
  readonly filename: string;
  readonly onProgress?: (sent: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export class ScanrillRest {
  readonly #base: string;
  readonly #token: TokenSource;

  constructor(base: string, token: TokenSource) {
    this.#base = base;
    this.#token = token;
  }

  async me(): Promise<Me> {
    return (await this.#get("/api/me/")).json() as Promise<Me>;
  }

  async engines(): Promise<Engines> {
    return (await this.#get("/api/engines/")).json() as Promise<Engines>;
  }

  async page(uploadId: string, number: number, signal?: AbortSignal): Promise<Page> {
    return (await this.#get(`/api/uploads/${uploadId}/pages/${number}`, signal)).json() as Promise<Page>;
  }

  /** A picture of a page, upright, about that many pixels wide. */
  async pageImage(uploadId: string, number: number, width: number, signal?: AbortSignal): Promise<Blob> {
    return (await this.#get(`/api/uploads/${uploadId}/pages/${number}/image?width=${width}`, signal)).blob();
  }

  /** The file as it came in. */
  async original(uploadId: string): Promise<Blob> {
    return (await this.#get(`/api/uploads/${uploadId}/file`)).blob();
  }

  /** Streams a file to the server. How far it is, only a browser tells: `fetch` does not. */
  async upload(file: Blob, options: UploadOptions): Promise<UploadMessage> {
    const token = await this.#token();
    try {
      return await this.#send(file, options, token);
    } catch (error) {
      if (!isAuthError(error)) throw error;
      return this.#send(file, options, await this.#token(token));
    }
  }

  async #get(path: string, signal?: AbortSignal): Promise<Response> {
    const token = await this.#token();
    const request = (bearer: string) =>
      sendRequest(this.#base, path, {
        headers: { Authorization: `Bearer ${bearer}` },
        ...(signal === undefined ? {} : { signal }),
      });
    try {
      return await request(token);
    } catch (error) {
      if (!isAuthError(error)) throw error;
      return request(await this.#token(token));
    }
  }

  #send(file: Blob, options: UploadOptions, token: string): Promise<UploadMessage> {
    const url = new URL("/api/uploads/", this.#base);
    url.searchParams.set("filename", options.filename);
    for (const [name, value] of Object.entries(definedOptions(options))) url.searchParams.set(name, String(value));
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/octet-stream" };
    return typeof XMLHttpRequest === "undefined"
      ? this.#uploadWithFetch(url, headers, file, options)
      : this.#uploadWithXhr(url, headers, file, options);
  }

  async #uploadWithFetch(url: URL, headers: Readonly<Record<string, string>>, file: Blob, { signal }: UploadOptions): Promise<UploadMessage> {
    const init = { method: "POST", headers, body: file, ...(signal === undefined ? {} : { signal }) };
    return (await sendRequest(this.#base, url.href, init)).json() as Promise<UploadMessage>;
  }

  #uploadWithXhr(
    url: URL,
    headers: Readonly<Record<string, string>>,
    file: Blob,
    { onProgress, signal }: UploadOptions,
  ): Promise<UploadMessage> {
    return new Promise((resolve, reject) => {
      const sending = new XMLHttpRequest();
      sending.open("POST", url);
      for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value);
      sending.upload.onprogress = ({ loaded, total }) => onProgress?.(loaded, total);
      sending.onload = () => {
        if (sending.status < 300) resolve(JSON.parse(sending.responseText) as UploadMessage);
        else reject(errorFromResponse(sending.status, sending.responseText));
      };
      sending.onerror = () => reject(errorFromResponse(0, ""));
      sending.onabort = () => reject(signal?.reason);
      signal?.addEventListener("abort", () => sending.abort(), { once: true });
      sending.send(file);
    });
  }
}

function isAuthError(error: unknown): boolean {
  return error instanceof RequestError && error.status === 401;
}
