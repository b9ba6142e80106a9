type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the fields that are undefined, which an optional property may not be (`exactOptionalPropertyTypes`). */
export function definedOf<T extends object>(value: T): Defined<T> {
  // The entries have lost the names of the fields; nothing else changes.
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
