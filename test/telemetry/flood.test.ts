// Whoever knocks ever so often makes few records, and hides no call.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { metrics } from '../../src/telemetry/names.ts';
import { exitOf, startBesideAcs } from '../support/process.ts';
import { startIngestion } from './ingestion.ts';
import { delayed, nameOf, propertiesOf, tableOf } from './received.ts';

/** More than the budget's burst of 1,000. */
const knocks = 1_100;

test('a flood of refused upgrades and requests: its records are bounded, counts are true, a call has all of its own', async (t) => {
  const ingestion = await startIngestion(t);
  const { child, url, simulator } = await startBesideAcs(t, { ...ingestion.env, ...delayed });
  const { port } = new URL(url);
  const asked = [
    'GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
    'GET /nothing-here HTTP/1.1\r\n',
  ];
  const knock = async (request: string | undefined) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.end(`${request}Host: 127.0.0.1\r\n\r\n`).resume();
    await once(socket, 'close');
  };
  for (let count = 0; count < knocks; count += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, at) => knock(asked[at % 2])));
  }

  const call = simulator.placeCall({ seconds: 0.5 });
  await call.ended;
  child.kill('SIGTERM');
  assert.equal(await exitOf(child), 0);

  const { envelopes } = ingestion;
  const requests = envelopes.filter((each) => tableOf(each) === 'AppRequests');
  const refused = requests.filter(({ data }) => Number(data.baseData.responseCode) >= 400);
  const total = (name: string, property: string, value: string) =>
    envelopes
      .filter((each) => nameOf(each) === name && propertiesOf(each)[property] === value)
      .reduce((sum, { data }) => sum + (data.baseData.metrics?.[0]?.value ?? 0), 0);

  assert.ok(refused.length >= 1_000 && refused.length < knocks, `${refused.length} of ${knocks}`);
  assert.equal(total(metrics.suppressed, 'outcome', 'refused'), knocks - refused.length);
  assert.equal(total(metrics.suppressed, 'outcome', 'accepted'), 0);
  assert.equal(total(metrics.upgrades, 'outcome', 'refused'), knocks / 2, 'of upgrades each is counted');

  const names = envelopes
    .filter((each) => propertiesOf(each).correlationId === call.correlationId)
    .map(nameOf);
  for (const name of [
    'POST /api/incoming-call',
    'GET /ws/:binding',
    'call',
    'call.announced',
    'call.ended',
  ]) {
    assert.ok(names.includes(name), `${name} is not among ${names}`);
  }
});
