// What may be recorded at most: else whoever knocks often enough would use up the day's quota of the workspace, and
// with it all sight of the calls.

export type Budget = ReturnType<typeof createBudget>;

export interface BudgetOptions {
  /** How many records there may be at once, after a quiet time. */
  burst: number;
  /** How many a second may follow. */
  perSecond: number;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

/** A bound on records (a token bucket), which counts what doesn't fit. */
export function createBudget({ burst, perSecond, now = () => performance.now() }: BudgetOptions) {
  let left = burst;
  let since = now();
  let suppressed = 0;

  return {
    /** How many records didn't fit since the start of the process. */
    get suppressed() {
      return suppressed;
    },
    /** Takes the room of one record. False if there is none: then it isn't to be made. */
    take(): boolean {
      const time = now();
      left = Math.min(burst, left + ((time - since) / 1000) * perSecond);
      since = time;
      if (left < 1) {
        suppressed += 1;
        return false;
      }
      left -= 1;
      return true;
    },
  };
}

/** Two of them, so that strangers can't use up what calls need. */
export interface Budgets {
  /** What belongs to calls. */
  readonly accepted: Budget;
  /** What anybody can cause: upgrades that are refused, and requests about no call of ours, whatever the answer. */
  readonly refused: Budget;
}

/**
 * The bounds for one instance. Calls: some ten new ones a second, with all that is recorded of each, which is more than
 * 500 calls of a minute make. Strangers: what comes to a half of a daily quota of 1 GB, at 1.2 KB a record.
 */
export const createBudgets = (): Budgets => ({
  accepted: createBudget({ burst: 2_000, perSecond: 200 }),
  refused: createBudget({ burst: 1_000, perSecond: 5 }),
});
