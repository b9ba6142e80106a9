import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { echoedCalls, playedCalls } from '../../scripts/bench/calls.ts';
import type { Target } from '../../scripts/bench/peer.ts';
import { summarize } from '../../scripts/bench/summary.ts';

/** A server whose sockets do that. */
async function serve(t: TestContext, onSocket: (socket: WebSocket) => void): Promise<Target> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close());
  server.on('connection', onSocket);
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, path: '/', token: 'none' };
}

test('audio that comes ahead of its time has no gap', async (t) => {
  const target = await serve(t, (socket) => {
    for (let at = 0; at < 500; at++) socket.send('20 ms');
  });
  const running = await playedCalls.start(target, 2);
  const { figures } = await running.run(0.2);
  await running.end();
  assert.deepEqual([figures?.gaps, figures?.worstGapMs], [0, 0]);
});

test('audio that is sent half as fast as it is heard has a gap before each frame but the first', async (t) => {
  let sent = 0;
  const target = await serve(t, (socket) => {
    let heard = 0;
    socket.on('message', () => {
      heard += 1;
      if (heard % 2 !== 0) return;
      socket.send('20 ms');
      sent += 1;
    });
  });
  const running = await playedCalls.start(target, 2);
  const { figures } = await running.run(0.4);
  await running.end();
  // Frames that waited somewhere come together: then there is a gap before the first of them, and it is longer.
  const { gaps = 0, worstGapMs = 0 } = figures ?? {};
  assert.ok(gaps > 0 && gaps < sent && worstGapMs > 0);
});

test('each frame of a call is sent and comes back, and a call that ends before its time is none', async (t) => {
  const target = await serve(t, (socket) => {
    let heard = 0;
    socket.on('message', () => {
      heard += 1;
      if (heard > 50) socket.close();
      else socket.send('back');
    });
  });
  const running = await echoedCalls.start(target, 1);
  const { count } = await running.run(0.4);
  assert.equal(count, 20);
  await assert.rejects(running.run(0.4), /a call ended before its time/);
  await running.end();
});

test('figures are medians with the least and the most, ratios are those of each round, and goals are judged', () => {
  const rounds = [
    { upgrades: { bare: { perSecond: 100 }, app: { perSecond: 50 } }, played: { app: { gaps: 0 } } },
    { upgrades: { bare: { perSecond: 10 }, app: { perSecond: 9 } }, played: { app: { gaps: 0 } } },
    { upgrades: { bare: { perSecond: 80 }, app: { perSecond: 56 } }, played: { app: { gaps: 2 } } },
  ];
  const [upgrades, gaps, perTrial] = summarize(
    rounds,
    ['bare', 'app'],
    [['app', 'bare']],
    [
      {
        ...{ label: 'upgrades/s', trial: 'upgrades', figure: 'perSecond' },
        goals: [
          { of: 'app', to: 'bare', atLeast: 0.7 },
          { of: 'app', to: 'bare', atMost: 0.69 },
          { of: 'app', to: 'bare', atLeast: 0.7, everyRound: true },
        ],
      },
      {
        ...{ label: 'gaps', trial: 'played', figure: 'gaps' },
        goals: [
          { of: 'app', atMost: 0 },
          { of: 'app', atMost: 0, everyRound: true },
        ],
      },
      { label: 'to upgrades', trial: 'upgrades', figure: 'perSecond', perTrial: 'upgrades' },
    ],
  );
  assert.deepEqual(upgrades?.values.app, { median: 50, min: 9, max: 56 });
  assert.deepEqual(upgrades?.ratios, { 'app to bare': { median: 0.7, min: 0.5, max: 0.9 } });
  assert.deepEqual(
    upgrades?.goals.map(({ isMet }) => isMet),
    [true, false, false],
  );
  assert.deepEqual(Object.keys(gaps?.values ?? {}), ['app']);
  assert.deepEqual(
    gaps?.goals.map(({ of, limit, isMet }) => [of, limit, isMet]),
    [
      ['app', '≤ 0', true],
      ['app', '≤ 0', false],
    ],
  );
  assert.deepEqual(perTrial?.values.app, { median: 1, min: 1, max: 1 });
  assert.deepEqual(perTrial?.ratios, {});
});

test('where others had the processor, rates are not judged, and what the processor was used for is', () => {
  const app = { perSecond: 50, cpuMicroseconds: 10, waitedPercent: 1, loadWaitedPercent: 11 };
  const goals = [{ of: 'app', atLeast: 1 }];
  const rows = [
    { label: 'upgrades/s', trial: 'upgrades', figure: 'perSecond', goals },
    { label: 'CPU', trial: 'upgrades', figure: 'cpuMicroseconds', goals },
  ] as const;
  const judge = (figures: typeof app) =>
    summarize([{ upgrades: { app: figures } }], ['app'], [], rows).map(({ goals }) => goals[0]?.isMet);
  assert.deepEqual(judge(app), [undefined, true]);
  assert.deepEqual(judge({ ...app, waitedPercent: 11, loadWaitedPercent: 1 }), [undefined, true]);
  assert.deepEqual(judge({ ...app, loadWaitedPercent: 9 }), [true, true]);
});
