import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Attributes, Meter, Observable } from '@opentelemetry/api';
import type { Budgets } from './budget.ts';
import { metrics as names } from './names.ts';
import type { Stats, UpgradeFacts } from './telemetry.ts';

/** How often the event loop is asked, in milliseconds. */
const resolutionMs = 20;

/** The numbers of the app: read once for each report (every minute), so that counting costs the audio nothing. */
export function createMetrics(meter: Meter, budgets: Budgets) {
  const upgrades = meter.createCounter(names.upgrades);

  return {
    upgrade({ outcome, reason }: UpgradeFacts): void {
      upgrades.add(1, { outcome, ...(reason !== undefined && { reason }) });
    },

    watch(stats: () => Stats): void {
      const gauge = (name: string) => meter.createObservableGauge(name);
      const calls = gauge(names.calls);
      const callsMax = gauge(names.callsMax);
      const upgradesWaiting = gauge(names.upgradesWaiting);
      const bufferedBytes = gauge(names.bufferedBytes);
      const keysAge = gauge(names.keysAge);
      const machine = watchProcess(gauge);
      const count = createCounts(meter, budgets);

      meter.addBatchObservableCallback(
        (result) => {
          const now = stats();
          result.observe(calls, now.calls);
          result.observe(callsMax, now.maxCalls);
          result.observe(upgradesWaiting, now.upgradesWaiting);
          result.observe(bufferedBytes, now.bufferedBytes);
          if (now.keysAgeMs !== undefined) result.observe(keysAge, Math.round(now.keysAgeMs / 1000));
          machine.observe((which, value) => result.observe(which, value));
          count(now.totals);
        },
        [calls, callsMax, upgradesWaiting, bufferedBytes, keysAge, ...machine.gauges],
      );
    },
  };
}

/** What this process takes of the machine since the last report. */
function watchProcess(gauge: (name: string) => Observable) {
  const eventLoopDelay = gauge(names.eventLoopDelay);
  const memory = gauge(names.memory);
  const cpu = gauge(names.cpu);
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  let usage = process.cpuUsage();
  let since = performance.now();

  return {
    gauges: [eventLoopDelay, memory, cpu],
    observe(report: (which: Observable, value: number) => void) {
      // The histogram has the time between two looks at the clock, of which the resolution is no delay.
      report(eventLoopDelay, tenths(Math.max(delays.percentile(99) / 1e6 - resolutionMs, 0)));
      delays.reset();
      report(memory, process.memoryUsage.rss());
      const { user, system } = process.cpuUsage(usage);
      const now = performance.now();
      report(cpu, tenths((user + system) / (now - since) / 10));
      usage = process.cpuUsage();
      since = now;
    },
  };
}

/**
 * Counters of what the app counts itself. Not observable ones: those report each zero, and cost as much while nothing
 * happens.
 */
function createCounts(meter: Meter, { accepted, refused: turnedAway }: Budgets) {
  const reported = new Map<string, number>();
  const counter = (name: string) => {
    const instrument = meter.createCounter(name);
    return (total: number, attributes: Attributes = {}) => {
      const key = `${name} ${Object.values(attributes)}`;
      const added = total - (reported.get(key) ?? 0);
      if (added > 0) instrument.add(added, attributes);
      reported.set(key, total);
    };
  };
  const frames = counter(names.frames);
  const bytes = counter(names.bytes);
  const malformed = counter(names.malformed);
  const refused = counter(names.refused);
  const keyFetches = counter(names.keyFetches);
  const events = counter(names.events);
  const duplicates = counter(names.duplicates);
  const suppressed = counter(names.suppressed);

  return (totals: Stats['totals']) => {
    frames(totals.framesIn, { direction: 'in' });
    frames(totals.framesOut, { direction: 'out' });
    bytes(totals.bytesIn, { direction: 'in' });
    bytes(totals.bytesOut, { direction: 'out' });
    malformed(totals.malformed);
    refused(totals.refused);
    keyFetches(totals.keysFetched, { result: 'ok' });
    keyFetches(totals.keysFailed, { result: 'failed' });
    for (const [type, total] of Object.entries(totals.events)) events(total, { type });
    duplicates(totals.duplicates);
    suppressed(accepted.suppressed, { outcome: 'accepted' });
    suppressed(turnedAway.suppressed, { outcome: 'refused' });
  };
}

const tenths = (value: number) => Math.round(value * 10) / 10;
