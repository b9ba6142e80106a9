import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DrivenCall } from '../../../scripts/soak/drive.ts';
import type { CallPlan } from '../../../scripts/soak/plan.ts';
import { plainCall } from '../../../scripts/soak/plan.ts';
import { type AppSide, judge } from '../../../scripts/soak/verdict.ts';

interface Facts {
  plan?: Partial<CallPlan>;
  report?: Partial<DrivenCall['report']>;
  media?: object;
  ends?: number;
  heard?: number[];
  gaps?: string[];
  cutShort?: boolean;
  complaints?: string[];
  reason?: string;
  lines?: Record<string, number>;
  tally?: Partial<AppSide['tally']>;
}

/** What there is to say of a call that went well, but for some facts. */
function judged(facts: Facts = {}): string[] {
  const media = {
    ...{ sent: 250, returned: 250, received: 250, repeated: 0, foreign: 0, unsent: 0, late: 0, withheld: 0 },
    ...{ lost: 0, unheard: {}, heardMs: 0, stoppedMs: 0, stops: 0, roundTripMs: undefined },
    ...facts.media,
  };
  const call: DrivenCall = {
    id: 'a call',
    plan: { ...plainCall(0, 5), ...facts.plan },
    report: {
      ...{ id: 'a call', direction: 'incoming', callConnectionId: '', correlationId: '', state: 'ended' },
      ...{ outcome: 'the caller hung up', problem: undefined, keys: undefined, media },
      ...{ answeredAfterMs: 1, mediaAfterMs: 1, lastedMs: 1 },
      ...{ events: ['CallConnected', 'CallDisconnected'], operations: ['answerCall'] },
      ...facts.report,
    },
    entries: Array.from({ length: facts.ends ?? 1 }, () => ({
      ...{ type: 'ended', outcome: '', at: 0, callId: '' },
    })),
    numbered: { heard: facts.heard ?? [], gaps: facts.gaps ?? [] },
    cutShort: facts.cutShort ?? false,
    complaints: facts.complaints ?? [],
  };
  const lines = { 'call.announced': 1, 'call.answered': 1, 'call.ended': 1, ...facts.lines };
  const tally = { echoed: 250, withheld: 0, refused: 0, played: [], unplayedMs: 0, ...facts.tally };
  return judge(call, {
    lines: { counts: new Map(Object.entries(lines)), reason: facts.reason ?? 'CallDisconnected' },
    tally: { correlationId: 'a call', ...tally },
  });
}

const byApp: Facts = {
  plan: { endedBy: 'app' },
  report: { outcome: 'the app hung up', operations: ['answerCall', 'terminate'] },
  reason: 'the handler hung up',
  lines: { 'call.hung_up': 1 },
};
const playback: Facts = {
  plan: { kind: 'playback' },
  media: { received: 3_400, returned: 150 },
  tally: { echoed: 150, withheld: 100, played: ['played'] },
  heard: [3_250],
};
const bargeIn: Facts = {
  plan: { kind: 'barge-in', listensMs: [500, 700] },
  media: { received: 250, returned: 180, stops: 2 },
  tally: { echoed: 180, withheld: 70, played: ['stopped', 'stopped'] },
  heard: [30, 40],
};

test('finds nothing wrong with calls that went well', () => {
  assert.deepEqual(judged(), []);
  assert.deepEqual(judged(byApp), []);
  assert.deepEqual(judged(playback), []);
  assert.deepEqual(judged(bargeIn), []);
  assert.deepEqual(judged({ ...playback, cutShort: true, heard: [3_250] }), []);
});

test('asks of a call that misbehaves only how it ended, and that it heard no other', () => {
  const garbage: Facts = { ...byApp, plan: { kind: 'garbage' }, reason: 'its socket was closed here' };
  assert.deepEqual(judged({ ...garbage, media: { returned: 7 } }), []);
  assert.match(judged({ ...garbage, media: { foreign: 1 } }).join(), /^it heard 1 frames of other calls$/);
  assert.match(judged({ plan: { kind: 'garbage' } }).join(), /the app was to hang up/);
});

const wrong: [what: string, facts: Facts, said: RegExp][] = [
  ['a frame that did not come back', { media: { returned: 249 } }, /came back: 249, not 250/],
  ['a frame that the app never had', { media: { sent: 251 } }, /the handler had: 250, not 251/],
  ['a frame that the call refused', { tally: { echoed: 249, refused: 1 } }, /the call refused: 1/],
  ['a frame that came twice', { media: { repeated: 1 } }, /came back again: 1/],
  ['a frame of another call', { media: { foreign: 1 } }, /of other calls: 1/],
  ['a frame that was never sent', { media: { received: 251 } }, /besides the echo: 1, not 0/],
  ['a gap in a playback', { ...playback, gaps: ['after 7 frames came number 9'] }, /^after 7 frames/],
  ['the end of a playback missing', { ...playback, heard: [3_249] }, /frames played: 3249, not 3250/],
  ['audio that did not fit', { ...playback, tally: { ...playback.tally, unplayedMs: 20 } }, /fit: 20/],
  ['a barge-in that stopped nothing', { ...bargeIn, media: { ...bargeIn.media, stops: 1 } }, /StopAudio: 1/],
  [
    'a handler that did not see it',
    { ...bargeIn, tally: { ...bargeIn.tally, played: ['stopped'] } },
    /playbacks: /,
  ],
  [
    'no hang-up',
    { ...byApp, report: { ...byApp.report, operations: ['answerCall'] } },
    /hang-ups by the app: 0, not 1/,
  ],
  [
    'a second hang-up',
    { ...byApp, report: { ...byApp.report, operations: ['answerCall', 'terminate', 'terminate (404)'] } },
    /hang-ups by the app: 2, not 1/,
  ],
  [
    'a hang-up of a call that was over',
    { report: { operations: ['answerCall', 'terminate'] } },
    /the app: 1, not 0/,
  ],
  ['another end', { report: { outcome: 'the app hung up' } }, /and the caller was to hang up/],
  ['another reason', { reason: 'MAX_CALL_SECONDS are over' }, /since: MAX_CALL_SECONDS are over/],
  ['two ends', { ends: 2 }, /ends: 2, not 1/],
  ['two lines of its end', { lines: { 'call.ended': 2 } }, /lines of its end: 2/],
  ['an end that the app did not take', { report: { events: ['CallDisconnected (503)'] } }, /taken: 0, not 1/],
  ['what its report says', { report: { problem: 'nobody answered' } }, /^nobody answered$/],
  ['what its caller says', { complaints: ['no frame came back any more'] }, /^no frame came back any more$/],
];
for (const [what, facts, said] of wrong) {
  test(`finds ${what}`, () => {
    assert.match(judged(facts).join('\n'), new RegExp(said.source, 'm'));
  });
}
