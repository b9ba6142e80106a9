import type { Azure } from './azure.ts';

/** `unchecked` is no reproach: it says what nobody could look at from here. */
export type Verdict = 'ok' | 'wrong' | 'unchecked';

/** What a check has found. Neither text ever holds a secret. */
export interface Finding {
  verdict: Verdict;
  found: string;
  /** What to do about it. */
  advice?: string;
}

export const ok = (found: string): Finding => ({ verdict: 'ok', found });
export const wrong = (found: string, advice: string): Finding => ({ verdict: 'wrong', found, advice });
export const unchecked = (found: string, advice: string): Finding => ({
  verdict: 'unchecked',
  found,
  advice,
});

/** Environment variables by name; those that are empty are left out. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** What is looked at. */
export interface Patient {
  /** Where the app is: an origin without a path. */
  url: URL;
  /** What is known of how the app is configured. */
  settings: Settings;
  /** The resources behind it, read with the user's own sign-in. */
  azure: Azure;
  /** How long any one answer may take, in milliseconds. */
  patienceMs: number;
}

/** One line of the report. */
export interface Check {
  name: string;
  /** Whether it asks the app itself, which is in vain where the app can't be reached. */
  asksApp?: boolean;
  /** What it throws is reported as its finding, too. */
  look(patient: Patient): Finding | Promise<Finding>;
}
