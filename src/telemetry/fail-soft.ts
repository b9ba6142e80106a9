import { describeError } from '../log.ts';
import type { Telemetry, TelemetryLog } from './telemetry.ts';

/**
 * Telemetry whose faults are nobody else's: whoever logs a line, answers an upgrade or takes an event goes on,
 * whatever is thrown here. The first fault is logged; the others are dropped, since a line for each would be the next.
 */
export function failSoft(telemetry: Telemetry): Telemetry {
  let log: TelemetryLog | undefined;

  function attempt(part: () => void): void {
    try {
      part();
    } catch (error) {
      const unaware = log;
      log = undefined;
      unaware?.warn({ error: describeError(error) }, 'telemetry failed: some of it is lost');
    }
  }

  const { records } = telemetry;
  return {
    ...telemetry,
    records: records && { write: (line) => attempt(() => records.write(line)) },
    report(to) {
      log = to;
      attempt(() => telemetry.report(to));
    },
    upgrade: (facts) => attempt(() => telemetry.upgrade(facts)),
    watch: (stats) => attempt(() => telemetry.watch(stats)),
    tag: (tags) => attempt(() => telemetry.tag(tags)),
  };
}
