/** The REST API: files, pages, page images and information about the server. */

import { ReadingFailed, RequestError } from "./errors.ts";
import { errorFromResponse, sendRequest, serverUrl } from "./http.ts";
import type { ApiKey, ApiKeyOptions, NewApiKey } from "./keys.ts";
import {
  definedOptions,
  isTerminal,
  type Instance,
  type ListFilters,
  type ListMessage,
  type Page,
  type PageOptions,
  type ReadOptions,
  type UploadChanges,
  type UploadMessage,
} from "./protocol.ts";
import type { Reading, ReadingComparison, ReadingInfo } from "./readings.ts";
import type { Engines, ExportOptions, Me, Session, UploadOptions } from "./rest-types.ts";
import type { SearchOptions, SearchResults } from "./search.ts";
import type { TokenSource } from "./token.ts";

/** Time for which the server holds a request that waits. */
const WAIT_SECONDS = 30;

/** Client of the REST API. It renews a rejected access token once and repeats the request. */
export class ScanrillRest {
  readonly #base: string;
  readonly #token: TokenSource;

  /** `base` is the URL of the server, for example `http://localhost:8000`. */
  constructor(base: string, token: TokenSource) {
    this.#base = base;
    this.#token = token;
  }

  /** Fetch the signed-in user. */
  async me(): Promise<Me> {
    return (await this.#get("/api/me/")).json() as Promise<Me>;
  }

  /** Fetch the sign-ins of the user that have not ended, the last used first. */
  async sessions(): Promise<readonly Session[]> {
    return ((await (await this.#get("/api/sessions/")).json()) as { sessions: readonly Session[] }).sessions;
  }

  /** Sign out a session: its sockets close, and its tokens are invalid. Throws `RequestError` if it has ended. */
  async endSession(id: string): Promise<void> {
    await this.#request(`/api/sessions/${encodeURIComponent(id)}/`, { method: "DELETE" });
  }

  /** Fetch the API keys of the user that are not revoked, the newest first. */
  async apiKeys(): Promise<readonly ApiKey[]> {
    return ((await (await this.#get("/api/keys")).json()) as { keys: readonly ApiKey[] }).keys;
  }

  /** Create an API key. Its text comes once, in `key`. An API key cannot create others. */
  async createApiKey(options: ApiKeyOptions): Promise<NewApiKey> {
    const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(options) };
    return (await this.#request("/api/keys", init)).json() as Promise<NewApiKey>;
  }

  /** Revoke an API key: it is invalid at once, and its sockets close. Throws `RequestError` if it is unknown. */
  async revokeApiKey(id: string): Promise<void> {
    await this.#request(`/api/keys/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  /** Fetch the list of engines. */
  async engines(): Promise<Engines> {
    return (await this.#get("/api/engines/")).json() as Promise<Engines>;
  }

  /** Find pages, file names and corrections: words, "a phrase", prefix*, -without, name:, status:, before:, after:. */
  async search(q: string, { limit, cursor, signal }: SearchOptions = {}): Promise<SearchResults> {
    const query = new URLSearchParams({ q });
    if (limit !== undefined) query.set("limit", String(limit));
    if (cursor !== undefined) query.set("cursor", cursor);
    return (await this.#get(`/api/search?${query}`, signal)).json() as Promise<SearchResults>;
  }

  /** Fetch a finished page; `number` starts at 1. */
  async page(
    uploadId: string,
    number: number,
    signal?: AbortSignal,
    { words = false }: PageOptions = {},
  ): Promise<Page> {
    const path = `/api/uploads/${uploadId}/pages/${number}${words ? "?words=true" : ""}`;
    return (await this.#get(path, signal)).json() as Promise<Page>;
  }

  /** Fetch uploads without their texts, newest first; `next` is the cursor of the next page. */
  async list({ metadata = {}, ...filters }: ListFilters = {}, signal?: AbortSignal): Promise<ListMessage> {
    const values = Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]);
    const query = queryOf({ ...filters, ...Object.fromEntries(values) });
    return (await this.#get(`/api/uploads/?${query}`, signal)).json() as Promise<ListMessage>;
  }

  /** Iterate over all uploads, page by page of the list. */
  async *listAll(filters: Omit<ListFilters, "cursor"> = {}, signal?: AbortSignal): AsyncGenerator<Instance, void> {
    let cursor: string | null | undefined;
    do {
      const page: ListMessage = await this.list({ limit: 100, ...filters, ...(cursor ? { cursor } : {}) }, signal);
      yield* page.list;
      cursor = page.next;
    } while (cursor);
  }

  /** Fetch an upload with its texts, and the warnings of its pages. */
  async retrieve(uploadId: string, signal?: AbortSignal): Promise<Instance> {
    return (await this.#get(`/api/uploads/${uploadId}/`, signal)).json() as Promise<Instance>;
  }

  /** Change the file name, the text or the metadata of an upload. */
  async update(uploadId: string, changes: UploadChanges): Promise<Instance> {
    return this.#change("PATCH", `/api/uploads/${uploadId}/`, changes);
  }

  /** Delete an upload with its file and its text, and return its last state. */
  async delete(uploadId: string): Promise<Instance> {
    return this.#change("DELETE", `/api/uploads/${uploadId}/`);
  }

  /** Cancel the reading of an upload; finished pages keep their text. */
  async cancel(uploadId: string): Promise<Instance> {
    return this.#change("POST", `/api/uploads/${uploadId}/cancel/`);
  }

  /** Read a finished upload again from page 1. Omitted options keep their previous values. */
  async retry(uploadId: string, options: ReadOptions = {}): Promise<Instance> {
    return this.#change("POST", `/api/uploads/${uploadId}/retry/`, definedOptions(options));
  }

  /** Wait until the reading of an upload has ended, and return the upload with its texts. */
  async wait(uploadId: string, signal?: AbortSignal): Promise<Instance> {
    const init = { headers: { Prefer: `wait=${WAIT_SECONDS}` }, ...(signal === undefined ? {} : { signal }) };
    for (;;) {
      const response = await this.#request(`/api/uploads/${uploadId}/`, init);
      const instance = (await response.json()) as Instance;
      if (isTerminal(instance.status)) return instance;
    }
  }

  /** Upload a file, wait for its text and return it as Markdown. Throws `ReadingFailed` if it has none. */
  async read(file: Blob, options: UploadOptions): Promise<string> {
    const { instance } = await this.upload(file, options);
    const ended = await this.wait(instance.id, options.signal);
    if (ended.status !== "processed") throw new ReadingFailed(ended.id, ended.error ?? "The reading ended without a text.");
    return ended.raw_text ?? "";
  }

  /** Set a person's text of a finished page; null removes the correction. */
  async correctPage(uploadId: string, number: number, correction: string | null): Promise<Page> {
    const init = jsonRequest("PATCH", { correction });
    return (await this.#request(`/api/uploads/${uploadId}/pages/${number}`, init)).json() as Promise<Page>;
  }

  /** Fetch the readings of an upload, the newest first. */
  async readings(uploadId: string): Promise<readonly ReadingInfo[]> {
    const response = await this.#get(`/api/uploads/${uploadId}/readings`);
    return ((await response.json()) as { readings: readonly ReadingInfo[] }).readings;
  }

  /** Fetch a reading with its texts. */
  async reading(uploadId: string, number: number): Promise<Reading> {
    return (await this.#get(`/api/uploads/${uploadId}/readings/${number}`)).json() as Promise<Reading>;
  }

  /** Fetch a finished page of a reading. */
  async readingPage(
    uploadId: string,
    reading: number,
    number: number,
    { words = false }: PageOptions = {},
  ): Promise<Page> {
    const path = `/api/uploads/${uploadId}/readings/${reading}/pages/${number}${words ? "?words=true" : ""}`;
    return (await this.#get(path)).json() as Promise<Page>;
  }

  /** Make a reading the current one. Throws `RequestError` while the upload waits or is read. */
  async makeReadingCurrent(uploadId: string, number: number): Promise<Instance> {
    const path = `/api/uploads/${uploadId}/readings/${number}/current`;
    return (await this.#request(path, { method: "POST" })).json() as Promise<Instance>;
  }

  /** Delete an earlier reading. Throws `RequestError` for the current one. */
  async deleteReading(uploadId: string, number: number): Promise<void> {
    await this.#request(`/api/uploads/${uploadId}/readings/${number}`, { method: "DELETE" });
  }

  /** Compare two readings by words. With `page`, the words that differ on it are listed. */
  async compareReadings(uploadId: string, first: number, second: number, page?: number): Promise<ReadingComparison> {
    const query = page === undefined ? "" : `?page=${page}`;
    const path = `/api/uploads/${uploadId}/readings/${first}/compare/${second}${query}`;
    return (await this.#get(path)).json() as Promise<ReadingComparison>;
  }

  /** Fetch the image of a page, upright and about `width` pixels wide. */
  async pageImage(uploadId: string, number: number, width: number, signal?: AbortSignal): Promise<Blob> {
    return (await this.#get(`/api/uploads/${uploadId}/pages/${number}/image?width=${width}`, signal)).blob();
  }

  /** Fetch the picture of a figure as JPEG; `number` and `index`, its place in the page, start at 1. */
  async figure(uploadId: string, number: number, index: number, signal?: AbortSignal): Promise<Blob> {
    return (await this.#get(`/api/uploads/${uploadId}/pages/${number}/figures/${index}`, signal)).blob();
  }

  /** Fetch the uploaded file, unchanged. */
  async original(uploadId: string): Promise<Blob> {
    return (await this.#get(`/api/uploads/${uploadId}/file`)).blob();
  }

  /** Fetch a finished upload in another format. The body of the response can be read as a stream. */
  async export(uploadId: string, options: ExportOptions = {}, signal?: AbortSignal): Promise<Response> {
    return this.#get(`/api/uploads/${uploadId}/export?${queryOf(options)}`, signal);
  }

  /** Fetch the exports of several uploads as one ZIP archive. */
  async exportMany(uploadIds: readonly string[], options: ExportOptions = {}, signal?: AbortSignal): Promise<Response> {
    return this.#get(`/api/export?ids=${uploadIds.join(",")}&${queryOf(options)}`, signal);
  }

  /**
   * Upload a file. Uses XMLHttpRequest where it exists, because `fetch` does not report progress.
   *
   * After `ConnectionLost`, upload the file again: the server recognizes bytes that it has.
   */
  async upload(file: Blob, options: UploadOptions): Promise<UploadMessage> {
    const token = await this.#token();
    try {
      return await this.#send(file, options, token);
    } catch (error) {
      if (!isAuthError(error)) throw error;
      return this.#send(file, options, await this.#token(token));
    }
  }

  /** Send a change and return the upload; some routes put it into a message. */
  async #change(method: string, path: string, body?: object): Promise<Instance> {
    const response = await this.#request(path, body === undefined ? { method } : jsonRequest(method, body));
    const answer = (await response.json()) as Instance | UploadMessage;
    return "instance" in answer ? answer.instance : answer;
  }

  #get(path: string, signal?: AbortSignal): Promise<Response> {
    return this.#request(path, signal === undefined ? {} : { signal });
  }

  async #request(path: string, init: RequestInit): Promise<Response> {
    const token = await this.#token();
    const request = (bearer: string) => sendRequest(this.#base, path, { ...init, headers: { ...init.headers, Authorization: `Bearer ${bearer}` } });
    try {
      return await request(token);
    } catch (error) {
      if (!isAuthError(error)) throw error;
      return request(await this.#token(token));
    }
  }

  #send(file: Blob, options: UploadOptions, token: string): Promise<UploadMessage> {
    const url = serverUrl(this.#base, "/api/uploads/");
    url.searchParams.set("filename", options.filename);
    for (const [name, value] of Object.entries(definedOptions(options))) url.searchParams.set(name, String(value));
    if (options.metadata !== undefined) url.searchParams.set("metadata", JSON.stringify(options.metadata));
    if (options.on_duplicate !== undefined) url.searchParams.set("on_duplicate", options.on_duplicate);
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/octet-stream" };
    return typeof XMLHttpRequest === "undefined"
      ? this.#uploadWithFetch(url, headers, file, options)
      : this.#uploadWithXhr(url, headers, file, options);
  }

  async #uploadWithFetch(url: URL, headers: Readonly<Record<string, string>>, file: Blob, { signal }: UploadOptions): Promise<UploadMessage> {
    const init = { method: "POST", headers, body: file, ...(signal === undefined ? {} : { signal }) };
    return (await sendRequest(this.#base, `/api/uploads/${url.search}`, init)).json() as Promise<UploadMessage>;
  }

  #uploadWithXhr(
    url: URL,
    headers: Readonly<Record<string, string>>,
    file: Blob,
    { onProgress, signal }: UploadOptions,
  ): Promise<UploadMessage> {
    return new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.open("POST", url);
      for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
      xhr.upload.onprogress = ({ loaded, total }) => onProgress?.(loaded, total);
      xhr.onload = () => {
        if (xhr.status < 300) resolve(JSON.parse(xhr.responseText) as UploadMessage);
        else reject(errorFromResponse(xhr.status, xhr.responseText, { isRepeatable: false }));
      };
      xhr.onerror = () => reject(errorFromResponse(0, "", { isRepeatable: false }));
      xhr.onabort = () => reject(signal?.reason);
      signal?.addEventListener("abort", () => xhr.abort(), { once: true });
      xhr.send(file);
    });
  }
}

function queryOf(values: object): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

function jsonRequest(method: string, body: object): RequestInit {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

function isAuthError(error: unknown): boolean {
  return error instanceof RequestError && error.status === 401;
}
