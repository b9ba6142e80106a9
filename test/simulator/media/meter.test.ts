import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeMark } from '../../../simulator/media/marks.ts';
import { createMeter } from '../../../simulator/media/meter.ts';

function frame(call: number, sequence: number): Buffer {
  const pcm = Buffer.alloc(960);
  writeMark(pcm, { call, sequence });
  return pcm;
}

function start(onRoundTrip?: (ms: number) => void) {
  const time = { now: 0 };
  const meter = createMeter({ call: 1, graceMs: 100, clock: () => time.now, onRoundTrip });
  return { time, meter };
}

test('a frame that has had its time is lost, a younger one is on its way', () => {
  const { time, meter } = start();
  for (const sequence of [0, 1, 2]) {
    time.now = sequence * 60;
    meter.sent(sequence, time.now);
  }
  meter.received(frame(1, 0));
  assert.equal(meter.outstanding, 2);
  assert.equal(meter.report().lost, 0);
  time.now = 161;
  assert.equal(meter.report().lost, 1);
  meter.end();
  time.now = 10_000;
  assert.equal(meter.report().lost, 1, 'what was on its way when the media ended could not come any more');
  meter.sent(3, time.now);
  time.now += 101;
  assert.equal(meter.report().lost, 3, 'the media went on, and they still have not come');
});

test('a frame that was on its way when the simulator cut the WebSocket is lost by nobody', () => {
  const { time, meter } = start();
  for (const sequence of [0, 1, 2]) {
    time.now = sequence * 60;
    meter.sent(sequence, time.now);
  }
  meter.received(frame(1, 0));
  time.now = 161;
  meter.end(true);
  meter.sent(3, time.now);
  time.now = 10_000;
  assert.equal(meter.report().lost, 2, 'one had had its time before, and one was sent after');
  meter.received(frame(1, 2));
  assert.equal(meter.report().returned, 2, 'it may yet come back over the next one');
});

test('a frame that comes back twice is repeated, one that was never sent is foreign', () => {
  const { meter } = start();
  meter.sent(0, 0);
  for (const [call, sequence] of [
    [1, 0],
    [1, 0],
    [2, 0],
    [1, 7],
  ] as const)
    meter.received(frame(call, sequence));
  const { returned, repeated, foreign } = meter.report();
  assert.deepEqual({ returned, repeated, foreign }, { returned: 1, repeated: 1, foreign: 2 });
});

test('the round trip is that of the middle frame, and of the hundredth', () => {
  const trips: number[] = [];
  const { time, meter } = start((ms) => trips.push(ms));
  for (let sequence = 0; sequence < 100; sequence++) {
    time.now = 1_000 * sequence;
    meter.sent(sequence, time.now);
    time.now += sequence;
    meter.received(frame(1, sequence));
  }
  assert.deepEqual(meter.report().roundTripMs, { p50: 50, p99: 99, max: 99 });
  assert.deepEqual(trips, [...Array(100).keys()], 'each is told as it comes');
});

test('without anything back nothing is measured', () => {
  const { time, meter } = start();
  meter.sent(0, 0);
  time.now = 10_000;
  const { lost, roundTripMs, returned } = meter.report();
  assert.deepEqual({ lost, roundTripMs, returned }, { lost: undefined, roundTripMs: undefined, returned: 0 });
});
