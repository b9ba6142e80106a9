import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { type Frame, formatAudio } from '../../src/media/frames.ts';
import { createCounters, openSession, type SessionEnd } from '../../src/media/session.ts';
import { clientFrame, createMediaServer, type Peer } from './media-server.ts';

const MIB = 1024 * 1024;
const CLOSE_1000 = clientFrame(Buffer.from([0x03, 0xe8]), { opcode: 8 });
const dtmf = (tone: string) => JSON.stringify({ kind: 'DtmfData', dtmfData: { data: tone } });
const tones = (frames: Frame[]) =>
  frames.map((frame) => (frame.kind === 'dtmf' ? frame.tone : frame.kind)).join('');

/** Sends keys through a session of its own and waits until they have arrived: its socket works. */
async function roundTrip(client: WebSocket, peer: Peer): Promise<void> {
  const arrived = Promise.withResolvers<Frame>();
  peer.onFrame = arrived.resolve;
  client.send(dtmf('7'));
  assert.deepEqual(await arrived.promise, { kind: 'dtmf', tone: '7' });
  const answer = once(client, 'message');
  assert.ok(peer.session.send(Buffer.from('{"answer":true}')));
  assert.equal(String((await answer)[0]), '{"answer":true}');
}

/** A close handshake in both directions puts everything before it behind us. */
async function closed(client: WebSocket, peer: Peer): Promise<SessionEnd> {
  client.close(1000);
  return await peer.ended;
}

describe('openSession', () => {
  it('passes frames on and counts them', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    client.send(dtmf('1'));
    client.send('{"kind":"Later"}');
    client.send(dtmf('2'));
    const audio = formatAudio(Buffer.alloc(960));
    const answer = once(client, 'message');
    assert.ok(peer.session.send(audio));
    assert.deepEqual(await answer, [audio, false], 'as text');
    assert.equal(client.extensions, '', 'no compression');
    assert.deepEqual(await closed(client, peer), { code: 1000, reason: '', ours: false });
    assert.equal(tones(peer.frames), '1unknown2');
    const { maxBufferedBytes, ...counters } = peer.counters;
    assert.deepEqual(counters, {
      framesIn: 3,
      bytesIn: 2 * dtmf('1').length + 16,
      framesOut: 1,
      bytesOut: audio.length,
      malformed: 0,
      refused: 0,
    });
    assert.ok(maxBufferedBytes < MIB);
  });

  it('loses no frame that comes with the upgrade', async (t) => {
    const { connectRaw } = await createMediaServer(t, { ws: { closeTimeout: 20 } });
    const { peer } = await connectRaw(clientFrame(dtmf('1')), clientFrame(dtmf('2')), CLOSE_1000);
    assert.equal((await peer.ended).code, 1000);
    assert.equal(tones(peer.frames), '12');
  });

  it('goes on counting where the socket before it stopped', async (t) => {
    const counters = createCounters();
    const { connect } = await createMediaServer(t, { counters });
    for (const tone of '12') {
      const { client, peer } = await connect();
      client.send(dtmf(tone));
      await closed(client, peer);
    }
    assert.equal(counters.framesIn, 2);
  });

  it('ends with the peer: 1005 without a code, 1006 without a close', async (t) => {
    const { connect } = await createMediaServer(t);
    const one = await connect();
    one.client.close();
    assert.deepEqual(await one.peer.ended, { code: 1005, reason: '', ours: false });
    const two = await connect();
    two.tcp.resetAndDestroy();
    assert.deepEqual(await two.peer.ended, { code: 1006, reason: '', ours: false });
    const three = await connect();
    three.client.terminate();
    assert.deepEqual(await three.peer.ended, { code: 1006, reason: '', ours: false });
    for (const { peer } of [one, two, three]) {
      assert.equal(peer.session.open, false);
      assert.equal(peer.session.send(Buffer.from('{}')), false);
      peer.session.close(1000, '');
      assert.equal(peer.ends.length, 1);
    }
  });

  it('closes with the code and the words given, once', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    const close = once(client, 'close');
    peer.session.close(1001, 'Going away');
    peer.session.close(1000, 'Again');
    assert.equal(peer.session.open, false);
    const [code, reason] = await close;
    assert.deepEqual([code, String(reason)], [1001, 'Going away']);
    assert.deepEqual(await peer.ended, { code: 1001, reason: 'Going away', ours: true });
    assert.equal(peer.ends.length, 1);
  });

  it('passes on nothing that comes after its close', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    peer.session.close(1008, 'Taken over');
    client.send(dtmf('1'));
    await peer.ended;
    assert.deepEqual(peer.frames, []);
  });

  it('bounds a close that the peer does not answer', async (t) => {
    const { connect } = await createMediaServer(t, { ws: { closeTimeout: 20 } });
    const { client, peer } = await connect();
    client.pause();
    peer.session.close(1000, 'Bye');
    assert.deepEqual(await peer.ended, { code: 1000, reason: 'Bye', ours: true });
  });

  it('bounds a close that the peer begins and does not end', async (t) => {
    const { connectRaw } = await createMediaServer(t, { ws: { closeTimeout: 20 } });
    const { peer } = await connectRaw(CLOSE_1000);
    assert.deepEqual(await peer.ended, { code: 1000, reason: '', ours: false });
  });

  it('cuts off a peer that ends its half and reads no more', async (t) => {
    const { connectRaw } = await createMediaServer(t, { limits: { pingMs: 20 } });
    const { tcp, peer } = await connectRaw();
    tcp.pause();
    while (peer.session.send(Buffer.alloc(64 * 1024, 'x')));
    tcp.end();
    assert.deepEqual(await peer.ended, { code: 1006, reason: '', ours: false });
  });

  it('hands what onFrame throws to onError, and goes on', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    const fault = new Error('handler');
    const frames: Frame[] = [];
    peer.onFrame = (frame) => {
      frames.push(frame);
      throw fault;
    };
    client.send(dtmf('1'));
    client.send(dtmf('2'));
    await closed(client, peer);
    assert.deepEqual(peer.errors, [fault, fault]);
    assert.equal(tones(frames), '12');
  });

  it('ends once, even for a socket that was gone before', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client } = await connect();
    client.terminate();
    await once(client, 'close');
    const { promise, resolve } = Promise.withResolvers<SessionEnd>();
    const ignore = () => {};
    openSession(client, {
      counters: createCounters(),
      onFrame: ignore,
      onMalformed: ignore,
      onError: ignore,
      onClose: resolve,
    });
    assert.equal((await promise).code, 1006);
  });

  it('leaves no timer behind', async (t) => {
    const { connect } = await createMediaServer(t);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    for (let i = 0; i < 1_000 && timers() > 0; i += 1) await setImmediate(); // those of the tests before
    const { client, peer } = await connect();
    client.pause();
    while (peer.session.send(Buffer.alloc(64 * 1024, 'x')));
    assert.equal(timers(), 2);
    client.terminate();
    await peer.ended;
    assert.equal(timers(), 0);
  });

  it('does not care who dialled', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    const frame = Promise.withResolvers<Frame>();
    const end = Promise.withResolvers<SessionEnd>();
    const ignore = () => {};
    const dialled = openSession(client, {
      counters: createCounters(),
      onFrame: frame.resolve,
      onMalformed: ignore,
      onError: ignore,
      onClose: end.resolve,
    });
    peer.session.send(Buffer.from(dtmf('5')));
    assert.deepEqual(await frame.promise, { kind: 'dtmf', tone: '5' });
    dialled.close(1000, 'Bye');
    assert.equal((await end.promise).ours, true);
  });
});

describe('malformed messages', () => {
  it('are counted and told, and the session goes on', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    client.send('garbage');
    client.send(Buffer.from(dtmf('1')));
    client.send(dtmf('2'));
    await closed(client, peer);
    assert.deepEqual(peer.malformed, ['not JSON', 'binary']);
    assert.equal(tones(peer.frames), '2');
    assert.equal(peer.counters.malformed, 2);
  });

  it('end the session when 100 come in a row', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    for (let i = 0; i < 99; i += 1) client.send('garbage');
    client.send(dtmf('1'));
    for (let i = 0; i < 150; i += 1) client.send('garbage');
    const [code] = await once(client, 'close');
    assert.equal(code, 1008);
    assert.deepEqual(await peer.ended, { code: 1008, reason: 'Too many malformed messages', ours: true });
    assert.equal(tones(peer.frames), '1');
    assert.equal(peer.counters.malformed, 199);
  });
});

describe('the idle limit', () => {
  it('closes a peer that sends nothing and answers no ping', async (t) => {
    const { connect } = await createMediaServer(t, { limits: { idleMs: 40 }, ws: { closeTimeout: 20 } });
    const { client, peer } = await connect();
    client.pause();
    assert.deepEqual(await peer.ended, { code: 1008, reason: 'Nothing received for too long', ours: true });
  });

  it('is held off by pongs, which half of it asks for', async (t) => {
    const { connect } = await createMediaServer(t, { limits: { idleMs: 100 } });
    const { client, peer } = await connect();
    for (let i = 0; i < 6; i += 1) await once(client, 'ping');
    assert.ok(peer.session.open);
  });

  it('is held off by frames', async (t) => {
    const { connect } = await createMediaServer(t, { limits: { idleMs: 100, pingMs: 20 } });
    const { client, peer } = await connect();
    // A client that sends but doesn't answer pings.
    client.pong = () => {};
    for (let i = 0; i < 16; i += 1) {
      await once(client, 'ping');
      client.send(dtmf('1'));
    }
    assert.ok(peer.session.open);
  });

  it('may be longer than a timer can wait', async (t) => {
    const { connect } = await createMediaServer(t, { limits: { idleMs: 1e12, pingMs: 10 } });
    const { client, peer } = await connect();
    for (let i = 0; i < 3; i += 1) await once(client, 'ping');
    assert.ok(peer.session.open);
  });
});

describe('the send mark', () => {
  const audio = formatAudio(Buffer.alloc(48_000));

  it('refuses what would wait beyond it, and drops nothing that it took', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    client.pause();
    let accepted = 0;
    while (peer.session.send(audio)) accepted += 1;
    assert.equal(peer.counters.refused, 1);
    assert.equal(peer.counters.framesOut, accepted);
    assert.ok(peer.socket.bufferedAmount <= MIB + 1_000);
    assert.ok(peer.counters.maxBufferedBytes <= MIB + 1_000 && peer.counters.maxBufferedBytes > MIB / 2);
    while (peer.session.send(Buffer.from('{"a":1}'))) accepted += 1;
    assert.ok(peer.session.stopAudio(), 'StopAudio gets through');
    let received = 0;
    client.on('message', () => {
      received += 1;
    });
    client.resume();
    while (received < accepted + 1) await once(client, 'message');
    assert.ok(peer.session.send(audio));
  });

  it('bounds StopAudio too', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    client.pause();
    while (peer.session.send(audio));
    while (peer.session.stopAudio());
    assert.ok(peer.socket.bufferedAmount < MIB + 64 * 1024);
  });

  it('closes a peer that never reads, and cuts it off', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    const other = await connect();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    client.pause();
    while (peer.session.send(audio));
    await roundTrip(other.client, other.peer);
    t.mock.timers.tick(9_999);
    assert.ok(peer.session.open);
    t.mock.timers.tick(1);
    assert.deepEqual(peer.ends, [{ code: 1008, reason: 'Reads too slowly', ours: true }], 'told at once');
    await roundTrip(other.client, other.peer);
    const gone = once(peer.socket, 'close');
    t.mock.timers.tick(1_000);
    await gone;
    await roundTrip(other.client, other.peer);
  });

  it('leaves a peer alone that reads in time, if only just', async (t) => {
    const { connect } = await createMediaServer(t);
    const { client, peer } = await connect();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let sent = 0;
    let received = 0;
    client.on('message', () => {
      received += 1;
    });
    for (let round = 0; round < 4; round += 1) {
      client.pause();
      while (peer.session.send(audio)) sent += 1;
      t.mock.timers.tick(9_000);
      client.resume();
      while (received < sent) await once(client, 'message');
    }
    assert.ok(peer.session.open);
  });
});

describe("one socket's misbehaviour", () => {
  it('touches no other session', async (t) => {
    const { connect, connectRaw } = await createMediaServer(t, { ws: { closeTimeout: 20 } });
    const well = await connect();

    const huge = await connectRaw(clientFrame(Buffer.alloc(MIB), { length: 100_000_000 }));
    assert.deepEqual(await huge.peer.ended, { code: 1009, reason: 'Protocol violation', ours: true });
    await roundTrip(well.client, well.peer);

    const garbage = await connectRaw(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    assert.equal((await garbage.peer.ended).code, 1002);
    await roundTrip(well.client, well.peer);

    const badText = await connectRaw(clientFrame(Buffer.from([0xff, 0xfe])));
    assert.equal((await badText.peer.ended).code, 1007);
    await roundTrip(well.client, well.peer);

    const pieces = Array.from({ length: 2_000 }, (_, i) => {
      const piece = clientFrame('x', { opcode: i === 0 ? 1 : 0 });
      piece[0] = (piece[0] ?? 0) & 0x7f;
      return piece;
    });
    const fragments = await connectRaw(...pieces);
    assert.equal((await fragments.peer.ended).code, 1008);
    await roundTrip(well.client, well.peer);

    const dribble = await connectRaw(clientFrame('', { length: 200_000 }));
    for (let i = 0; i < 100_000 && dribble.peer.ends.length === 0; i += 1) {
      dribble.tcp.write('x');
      await setImmediate(); // a chunk of its own
    }
    assert.equal(dribble.peer.ends[0]?.code, 1008);
    await roundTrip(well.client, well.peer);

    const flood = await connect();
    for (let i = 0; i < 20_000; i += 1) flood.client.send(dtmf('1'));
    await roundTrip(well.client, well.peer);
    await closed(flood.client, flood.peer);
    assert.equal(flood.peer.counters.framesIn, 20_000);

    const resets = await Promise.all(Array.from({ length: 20 }, connect));
    for (const { client, tcp } of resets) {
      client.send(dtmf('1'));
      tcp.resetAndDestroy();
    }
    const ends = await Promise.all(resets.map(({ peer }) => peer.ended));
    assert.ok(ends.every((end) => end.code === 1006));
    await roundTrip(well.client, well.peer);
    assert.deepEqual(well.peer.errors, []);
    assert.deepEqual(well.peer.malformed, []);
  });
});
