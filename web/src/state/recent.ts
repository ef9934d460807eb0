/** A store that forgets what was not asked for the longest time. */

export interface Recent<Value> {
  /** The kept value, or one that is made and kept. */
  get(key: string, make: () => Value): Value;
  values(): Iterable<Value>;
  clear(): void;
}

export function leastRecent<Value>(most: number, forgotten: (value: Value) => void = () => {}): Recent<Value> {
  // A Map keeps the order in which its keys were set, the oldest first.
  const kept = new Map<string, Value>();

  function drop(key: string): void {
    const value = kept.get(key);
    if (value !== undefined && kept.delete(key)) forgotten(value);
  }

  return {
    get(key, make) {
      const value = kept.get(key) ?? make();
      kept.delete(key);
      kept.set(key, value);
      for (const oldest of kept.keys()) {
        if (kept.size <= most) break;
        drop(oldest);
      }
      return value;
    },
    values: () => kept.values(),
    clear() {
      for (const key of [...kept.keys()]) drop(key);
    },
  };
}
