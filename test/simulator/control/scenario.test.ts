import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { parseScenario, ScenarioError, type ScenarioFile } from '../../../simulator/control/scenario.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import { startApp } from '../support/app.ts';

/** A simulator and an app that answers without media. */
async function start(t: TestContext) {
  const simulator = await createSimulator({ frameMs: 2, keyMs: 1, graceMs: 200, eventGridRetryMs: [] });
  t.after(() => simulator.close());
  const app = await startApp(t, { connectionString: simulator.connectionString, media: null });
  const play = (scenario: Partial<ScenarioFile>) =>
    simulator.runScenario({ description: 'a call', call: { app: app.webhook }, expect: {}, ...scenario });
  return { simulator, app, play };
}

const file = { kind: 'fileSource', url: 'https://example.com/hello.wav' } as const;
const invite = {
  targetParticipant: { phoneNumber: '+15550122' },
  sourceCallIdNumber: { phoneNumber: '+15550199' },
};
const dtmf = { kind: 'callMediaRecognizeDtmfOptions' } as const;
const hangUpAtOnce: ScenarioFile['steps'] = [{ on: { event: 'CallConnected' }, do: { hangUp: true } }];

test('a scenario is told each of its faults, by path', () => {
  const wrong = {
    description: '',
    call: { sound: 'speach' },
    ask: { url: '/dial', method: 'GET' },
    dialed: { outcome: 'dead' },
    next: [{ operation: 'sing' }],
    steps: [
      { on: { event: 'PlayStarted', answered: true }, do: { jump: 1 } },
      { on: {}, after: -1 },
    ],
    expect: { outcomes: [] },
    timeoutSeconds: 1e9,
    retries: 3,
  };
  assert.throws(
    () => parseScenario(wrong),
    (error) => {
      assert.ok(error instanceof ScenarioError);
      const paths = new Set(error.faults.map((fault) => fault.split(': ')[0]));
      assert.deepEqual([...paths].sort(), [
        'ask',
        'call.sound',
        'description',
        'dialed.outcome',
        'expect',
        'next.0.operation',
        'steps.0.do',
        'steps.0.on',
        'steps.1.after',
        'steps.1.on',
        'the scenario',
        'timeoutSeconds',
      ]);
      assert.match(error.message, /the scenario: .*"retries"/);
      assert.match(error.message, /steps\.0\.on: has to be one of event, operation, answered, media/);
      return true;
    },
  );
  assert.throws(() => parseScenario(undefined), ScenarioError);
  assert.throws(() => parseScenario([]), ScenarioError);
});

test('each unmet expectation is a sentence', async (t) => {
  const { play } = await start(t);
  const { ok, faults, call } = await play({
    steps: hangUpAtOnce,
    expect: {
      outcome: 'transferred',
      events: ['CallDisconnected', 'CallConnected'],
      operations: ['answerCall', 'hangUp'],
      never: ['answerCall'],
      problem: 'no answer',
    },
  });
  assert.equal(ok, false);
  assert.equal(call?.outcome, 'the caller hung up');
  assert.deepEqual(faults, [
    "the outcome was not 'transferred': the caller hung up",
    "the problem was not 'no answer': there was none",
    `of the events, CallConnected did not come in its turn: ${call?.events.join(', ')}`,
    'of the operations, hangUp did not come in its turn: answerCall',
    'answerCall came, and was not to',
  ]);
});

test('a problem that nobody expects is a fault', async (t) => {
  const { play } = await start(t);
  const { faults } = await play({ call: { app: 'http://127.0.0.1:9/' } });
  assert.match(faults.join(), /^there was a problem: nobody answered/);
});

test('a step that does not come: the call is over before, or the time', async (t) => {
  const { play } = await start(t);
  const steps = [...hangUpAtOnce, { on: { event: 'PlayStarted' } }];
  const { faults } = await play({ steps });
  assert.deepEqual(faults, ['step 2 of 2 (event PlayStarted) did not come before the call was over']);
  const late = await play({ steps: [{ on: { event: 'PlayStarted' } }], timeoutSeconds: 0.2 });
  assert.deepEqual(late.faults, ['step 1 of 1 (event PlayStarted) did not come within 0.2 s']);
  const endless = await play({ timeoutSeconds: 0.2 });
  assert.deepEqual(endless.faults, ['the call was not over within 0.2 s']);
});

test('the same step again waits for the next one', async (t) => {
  const { play } = await start(t);
  const keys: ScenarioFile['steps'] = [
    { on: { event: 'CallConnected' } },
    { on: { event: 'CallConnected' } },
  ];
  const { faults } = await play({ steps: [...keys.slice(0, 1), { do: { hangUp: true } }, ...keys.slice(1)] });
  assert.deepEqual(faults, ['step 3 of 3 (event CallConnected) did not come before the call was over']);
});

test('what a scenario spoils is as before once it is over, and the next one waits for that', async (t) => {
  const { simulator, app, play } = await start(t);
  const first = play({
    steps: [
      { on: { answered: true }, do: { faults: { token: 'expired' } } },
      { do: { next: { operation: 'recognize', status: 500 } } },
      { do: { hangUp: true } },
    ],
    next: [{ operation: 'play', status: 503, times: 9 }],
  });
  const second = play({ steps: hangUpAtOnce });
  await first;
  assert.equal(simulator.faults.token, null);
  assert.deepEqual((await second).faults, []);
  const turns = simulator.journal.entries.filter(({ type }) => type === 'placed' || type === 'ended');
  assert.deepEqual(
    turns.map(({ type }) => type),
    ['placed', 'ended', 'placed', 'ended'],
  );
  assert.equal(simulator.scenario, undefined);
  const media = app.connections[0]?.getCallMedia();
  await assert.rejects(async () => media?.playToAll([file]), { statusCode: 404 });
  await assert.rejects(async () => media?.startRecognizing({ phoneNumber: '+15550100' }, dtmf), {
    statusCode: 404,
  });
});

test('the app is asked to call, and what becomes of it is as before afterwards', async (t) => {
  const { simulator, app, play } = await start(t);
  const dial = createServer(async (request, response) => {
    if (request.url !== '/dial') response.writeHead(404);
    else await app.client.createCall(invite, app.callbacks);
    response.end();
  }).listen(0, '127.0.0.1');
  t.after(() => dial.close());
  await once(dial, 'listening');
  const { port } = dial.address() as AddressInfo; // a TCP server has no other kind
  const asking = (path: string, more: Partial<ScenarioFile> = {}) =>
    play({ call: undefined, ask: { url: `http://127.0.0.1:${port}${path}` }, ...more });

  const expect = { outcome: 'the callee was busy', events: ['CreateCallFailed'] };
  const busy = await asking('/dial', { dialed: { outcome: 'busy' }, expect });
  assert.deepEqual(busy.faults, []);
  assert.equal(busy.call?.direction, 'outgoing');
  const taken = await asking('/dial', { steps: hangUpAtOnce, expect: { outcome: 'the callee hung up' } });
  assert.deepEqual(taken.faults, []);

  const none = await asking('/dail');
  assert.deepEqual(none.faults, ['the app was asked to call, and said 404']);
  assert.equal(none.call, undefined);
  await assert.rejects(play({ call: undefined, ask: { url: '/dial' } }), {
    status: 400,
    message: /^ask\.url: /,
  });
  assert.equal(simulator.scenario, undefined);
  const both = { description: 'both', call: {}, ask: { url: '/' }, expect: {} };
  assert.throws(() => parseScenario(both), /^ScenarioError: call: is not placed/);
  assert.throws(
    () => parseScenario({ ...both, ask: undefined, dialed: { outcome: 'busy' } }),
    /dialed: needs/,
  );
});
