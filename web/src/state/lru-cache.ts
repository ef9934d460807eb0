/** A cache that evicts the least recently used entry. */

export interface LruCache<Value> {
  /** Return the value of `key`; create and store it if it is missing. */
  get(key: string, make: () => Value): Value;
  values(): Iterable<Value>;
  clear(): void;
}

/** Create a cache of at most `capacity` entries. `onEvict` receives each removed value. */
export function createLruCache<Value>(capacity: number, onEvict: (value: Value) => void = () => {}): LruCache<Value> {
  // A Map iterates in insertion order, so the first key is the least recently used.
  const entries = new Map<string, Value>();

  function evict(key: string): void {
    const value = entries.get(key);
    if (value !== undefined && entries.delete(key)) onEvict(value);
  }

  return {
    get(key, make) {
      const value = entries.get(key) ?? make();
      entries.delete(key);
      entries.set(key, value);
      for (const oldest of entries.keys()) {
        if (entries.size <= capacity) break;
        evict(oldest);
      }
      return value;
    },
    values: () => entries.values(),
    clear() {
      for (const key of [...entries.keys()]) evict(key);
    },
  };
}
