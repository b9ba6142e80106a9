import type { CallReport } from '../calls/report.ts';
import type { Expectation } from './scenario.ts';

/** What of a call was not as expected, each in a sentence. */
export function differences(expected: Expectation, report: CallReport): string[] {
  const { outcome, problem } = report;
  const found: string[] = [];
  if (expected.outcome !== undefined && expected.outcome !== outcome)
    found.push(`the outcome was not '${expected.outcome}': ${outcome ?? 'it goes on'}`);
  // That nobody took a call of the app's is its outcome and its problem.
  if (expected.problem === undefined && problem !== undefined && problem !== expected.outcome)
    found.push(`there was a problem: ${problem}`);
  if (expected.problem !== undefined && problem?.includes(expected.problem) !== true)
    found.push(`the problem was not '${expected.problem}': ${problem ?? 'there was none'}`);
  for (const kind of ['events', 'operations'] as const) {
    const missing = firstMissing(expected[kind], report[kind]);
    if (missing !== undefined)
      found.push(
        `of the ${kind}, ${missing} did not come in its turn: ${report[kind].join(', ') || 'there were none'}`,
      );
  }
  for (const name of expected.never) {
    if (report.events.includes(name) || report.operations.includes(name))
      found.push(`${name} came, and was not to`);
  }
  return found;
}

/** The first of the names that isn't among the others, in the order that they have. */
function firstMissing(names: readonly string[], others: readonly string[]): string | undefined {
  let at = 0;
  return names.find((name) => {
    const found = others.indexOf(name, at);
    at = found + 1;
    return found < 0;
  });
}
