/**
 * What was delivered already: ACS delivers each event at least once.
 *
 * @param options.remembered how many ids are kept; one that comes again after so many others is new
 */
export function createDeliveries({ remembered = 1000 } = {}) {
  const seen = new Set<string>();
  let duplicates = 0;

  return {
    /** How many came again. */
    get duplicates() {
      return duplicates;
    },
    /** Whether what has this id comes for the first time. */
    isNew(id: string): boolean {
      if (seen.has(id)) {
        duplicates += 1;
        return false;
      }
      seen.add(id);
      const [oldest] = seen;
      if (seen.size > remembered && oldest !== undefined) seen.delete(oldest);
      return true;
    },
  };
}
