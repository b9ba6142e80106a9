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
const knocks = 1_200;

test('a flood of upgrades and requests of strangers: its records are bounded, counts are true, a call has all of its own', async (t) => {
  const ingestion = await startIngestion(t);
  const { child, url, simulator } = await startBesideAcs(t, { ...ingestion.env, ...delayed });
  const { port } = new URL(url);
  const asked = [
    'GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
    'GET /nothing-here HTTP/1.1\r\n',
    // It is answered with 200, whoever asks.
    'OPTIONS /api/incoming-call HTTP/1.1\r\n',
  ];
  const knock = async (request: string | undefined) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.end(`${request}Host: 127.0.0.1\r\n\r\n`).resume();
    await once(socket, 'close');
  };
  for (let count = 0; count < knocks; count += 60) {
    await Promise.all(Array.from({ length: 60 }, (_, at) => knock(asked[at % 3])));
  }

  const call = simulator.placeCall({ seconds: 0.5 });
  await call.ended;
  child.kill('SIGTERM');
  assert.equal(await exitOf(child), 0);

  const { envelopes } = ingestion;
  const requests = envelopes.filter((each) => tableOf(each) === 'AppRequests');
  const strangers = requests.filter((each) => propertiesOf(each).call === undefined);
  const refusals = envelopes.filter((each) => nameOf(each) === 'request.refused');
  const total = (name: string, property: string, value: string) =>
    envelopes
      .filter((each) => nameOf(each) === name && propertiesOf(each)[property] === value)
      .reduce((sum, { data }) => sum + (data.baseData.metrics?.[0]?.value ?? 0), 0);

  assert.ok(strangers.length >= 1_000 && strangers.length < knocks, `${strangers.length} of ${knocks}`);
  // One of them is the local ACS's: the handshake of its subscription.
  assert.equal(strangers.length + total(metrics.suppressed, 'outcome', 'refused'), knocks + 1);
  assert.equal(refusals.length, 50);
  assert.equal(total(metrics.suppressed, 'outcome', 'accepted'), 0);
  assert.equal(total(metrics.upgrades, 'outcome', 'refused'), knocks / 3, 'of upgrades each is counted');

  const names = envelopes
    .filter((each) => propertiesOf(each).correlationId === call.correlationId)
    .map(nameOf);
  assert.ok(names.length <= 20, 'of 200 records a second there is room for ten calls');
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
