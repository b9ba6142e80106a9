// Events as the field delivers them: twice, in another order, and after the end of their call.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallOptions } from '../../simulator/calls/handle.ts';
import type { CallFaults } from '../../simulator/faults/faults.ts';
import type { Call } from '../../src/calls/call.ts';
import { startApp } from '../support/app.ts';

const limits = { concurrency: true, timeout: 120_000 };

// A minute is longer than it takes to give a call up. These calls last less than that: all their events come after it.
const lateMs = 600;
const soon = { askAgainMs: 10 };

const faults: [string, CallFaults][] = [
  ['twice', { duplicateEvents: true }],
  ['overtaken by the next one', { reorderEvents: true }],
  ['late', { delayEvents: { ms: lateMs } }],
  [
    'half of them all of that',
    {
      seed: 7,
      duplicateEvents: 0.5,
      reorderEvents: 0.5,
      delayEvents: { ms: lateMs, share: 0.5 },
    },
  ],
];
const callbacks = ['CallConnected', 'ParticipantsUpdated', 'MediaStreamingStarted', 'CallDisconnected'];
const orders: NonNullable<CallOptions['order']>[] = [
  'events-first',
  'media-first',
  'together',
  'media-before-answer',
];

describe('events', limits, () => {
  for (const [what, fault] of faults) {
    for (const order of orders) {
      it(`${what} (${order}): one call, each event once, and nothing left`, async (t) => {
        const seen: string[] = [];
        const running: Call[] = [];
        const app = await startApp(t, {
          handler(call) {
            running.push(call);
            call.on('event', ({ id }) => {
              seen.push(id);
            });
          },
          calls: { limits: soon },
          simulator: { overtakeMs: 50 },
        });
        const placed = app.simulator.placeCall({ order, faults: { ...fault, onlyEvents: callbacks } });
        await placed.until('upgrade', ({ status }) => status === 101);
        for (const name of ['CallConnected', 'MediaStreamingStarted']) {
          const isOnItsWay = ({ event }: { event: string }) => event === name;
          await Promise.any([placed.until('event', isOnItsWay), placed.until('fault', isOnItsWay)]);
        }
        assert.equal(app.callgate.size, 1);
        placed.hangUp();
        await placed.ended;
        await app.callgate.stop(5_000);

        assert.equal(running.length, 1);
        assert.equal(new Set(seen).size, seen.length);
        assert.equal(app.callgate.size, 0);
        const ends = app.log.lines.filter(({ event }) => event === 'call.ended');
        assert.equal(ends.length, 1);
        assert.match(String(ends[0]?.reason), /^(CallDisconnected|ACS no longer knows the call)$/);
        assert.ok(!placed.report().operations.includes('terminate'), 'ACS knows that it is over');
        assert.deepEqual(
          app.log.lines.filter(({ level }) => Number(level) >= 40),
          [],
        );
        const { events } = app.callgate.stats().totals;
        const copies = fault.duplicateEvents === true ? 2 : 1;
        assert.ok(Number(events.CallDisconnected) >= copies && Number(events.CallConnected) >= copies);
      });
    }
  }
});
