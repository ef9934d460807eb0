/** A store that forgets what was not asked for the longest time. */

export interface LruCache<Value> {
  /** The kept value, or one that is made and kept. */
  get(key: string, make: () => Value): Value;
  values(): Iterable<Value>;
  clear(): void;
}

export function createLruCache<Value>(capacity: number, onEvict: (value: Value) => void = () => {}): LruCache<Value> {
  // A Map keeps the order in which its keys were set, the oldest first.
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
