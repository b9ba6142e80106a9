// What a handler can do with a call, seen from the other end of the line.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { CallOptions } from '../../simulator/calls/handle.ts';
import type { ReceivedFrame } from '../../simulator/media/stream.ts';
import type { Call, Handler } from '../../src/calls/call.ts';
import { handler as echo } from '../../src/handler.ts';
import { createManualClock } from '../media/manual-clock.ts';
import { type AppOptions, catchCall, end, startApp } from '../support/app.ts';

const limits = { concurrency: true, timeout: 120_000 };

/** Callers who say nothing by themselves. */
const mute = { frameMs: 3_600_000 };

const audio = (data: string) => JSON.stringify({ kind: 'AudioData', audioData: { data } });

/** An app with one call that runs, and the frames that its caller gets. */
async function startCall(
  t: TestContext,
  { handler, call: options = {}, ...rest }: { handler?: Handler; call?: CallOptions } & AppOptions = {},
) {
  const caught = catchCall(handler);
  const app = await startApp(t, { handler: caught.handler, simulator: mute, ...rest });
  const frames: ReceivedFrame[] = [];
  const waiting = new Set<() => void>();
  const placed = app.simulator.placeCall({
    ...options,
    onFrame(frame) {
      frames.push(frame);
      for (const look of waiting) look();
    },
  });
  const running = await caught.call;
  await placed.until('announced', ({ what, status }) => what === 'call' && status === 200);
  await placed.until('event', ({ event }) => event === 'MediaStreamingStarted');

  /** Resolves when what came from the app is as a test wants it. */
  function untilFrames(suffices: (frames: readonly ReceivedFrame[]) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (!suffices(frames)) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    look();
    return promise;
  }
  const pcm = () => Buffer.concat(frames.flatMap((frame) => (frame.kind === 'audio' ? [frame.pcm] : [])));
  return { app, placed, running, frames, untilFrames, pcm };
}

/** Audio of which no two samples near each other are the same. @param ms how long, in milliseconds */
function counting(ms: number): Int16Array {
  return Int16Array.from({ length: ms * 24 }, (_, at) => at % 30_000);
}

const lengthOf = (frames: readonly ReceivedFrame[]) =>
  frames.reduce((sum, frame) => sum + (frame.kind === 'audio' ? frame.pcm.length : 0), 0);

const bytesOf = (samples: Int16Array) => Buffer.from(samples.buffer);

describe('send', limits, () => {
  it('passes a frame on as it came, and PCM as base64, at once', async (t) => {
    const { placed, running, untilFrames, frames, pcm } = await startCall(t, { handler: echo });
    const said = bytesOf(counting(20));
    placed.stream?.socket?.send(audio(said.toString('base64')));
    await untilFrames(() => frames.length === 1);
    assert.equal(
      frames[0]?.text,
      `{"Kind":"AudioData","AudioData":{"Data":"${said.toString('base64')}"},"StopAudio":null}`,
    );
    assert.equal(running.send(said), true);
    await untilFrames(() => frames.length === 2);
    assert.deepEqual(pcm(), Buffer.concat([said, said]));
  });

  it('passes silence on like everything else', async (t) => {
    const { placed, untilFrames, frames } = await startCall(t, { handler: echo });
    const silence = Buffer.alloc(960).toString('base64');
    placed.stream?.socket?.send(
      JSON.stringify({
        kind: 'AudioData',
        audioData: { data: silence, silent: true, participantRawID: null },
      }),
    );
    await untilFrames(() => frames.length === 1);
    assert.equal(frames[0]?.kind, 'audio');
  });

  it('is refused, and counted, while a playback runs', async (t) => {
    const { running, untilFrames, pcm } = await startCall(t);
    const playback = running.play(counting(200));
    assert.equal(running.send(Buffer.alloc(960, 9)), false);
    assert.equal(running.counters.refused, 1);
    await playback.finished;
    assert.equal(running.send(Buffer.alloc(960, 9)), true);
    await untilFrames(() => pcm().length === 10_560);
    assert.deepEqual(pcm(), Buffer.concat([bytesOf(counting(200)), Buffer.alloc(960, 9)]));
  });

  it('is refused, and counted, without a socket and after the end', async (t) => {
    const { app, placed, running } = await startCall(t, { calls: { limits: { askAgainMs: 3_600_000 } } });
    placed.stream?.socket?.drop();
    await app.log.until('media disconnected');
    assert.equal(running.send(Buffer.alloc(960)), false);
    await running.hangUp();
    assert.equal(running.send(Buffer.alloc(960)), false);
    assert.equal(running.counters.refused, 2);
  });

  it('is refused when more than a mebibyte waits; what was accepted arrives, and no other call notices', async (t) => {
    const { app, placed, running, untilFrames, pcm } = await startCall(t);
    const other = app.simulator.placeCall();
    placed.stream?.socket?.pause();
    const piece = Buffer.alloc(9_600, 5);
    let accepted = 0;
    while (accepted < 10_000 && running.send(piece)) accepted += 1;
    assert.ok(accepted < 10_000, 'a peer that never reads costs a bounded amount');
    assert.ok(running.counters.maxBufferedBytes <= 1024 * 1024);
    assert.equal(running.counters.refused, 1);
    await other.until('upgrade', ({ status }) => status === 101);

    placed.stream?.socket?.resume();
    await untilFrames(() => pcm().length === accepted * piece.length);
    assert.equal(running.counters.framesOut, accepted);
  });
});

describe('play', limits, () => {
  it('brings audio that was handed over in one go to the caller whole, and paces it', async (t) => {
    const { running, untilFrames, pcm, frames } = await startCall(t);
    const speech = counting(3_000);
    const begun = performance.now();
    const playback = running.play(speech);
    assert.equal(playback.refusedMs, 0);
    assert.equal(await playback.finished, 'played');
    assert.ok(performance.now() - begun >= 2_900, 'it is heard in real time');
    assert.equal(Math.round(playback.playedMs), 3_000);
    await untilFrames(() => pcm().length === speech.byteLength);
    assert.ok(pcm().equals(bytesOf(speech)));
    let sentMs = 0;
    for (const frame of frames) {
      if (frame.kind === 'audio') sentMs += frame.pcm.length / 48;
      assert.ok(sentMs - (frame.at - begun) <= 500, 'never more than half a second ahead');
    }
  });

  it('brings half a minute that was handed over in one go to the caller whole', async (t) => {
    const clock = createManualClock();
    const { running, untilFrames, frames, pcm } = await startCall(t, { calls: { playbackClock: clock } });
    const speech = counting(30_000);
    const playback = running.play(speech);
    assert.equal(playback.refusedMs, 0);
    for (let heardMs = 100; heardMs <= 30_000; heardMs += 100) {
      clock.advance(100);
      await untilFrames((frames) => lengthOf(frames) >= heardMs * 48);
      assert.ok(lengthOf(frames) <= (heardMs + 500) * 48, 'never more than half a second ahead');
    }
    clock.advance(1);
    assert.equal(await playback.finished, 'played');
    assert.ok(pcm().equals(bytesOf(speech)));
  });

  it('takes pieces of any length, and what is a Uint8Array too', async (t) => {
    const { running, untilFrames, pcm } = await startCall(t);
    const speech = bytesOf(counting(400));
    const pieces = [1, 2, 3, 961, 4_000, 7].map((length, at, all) => {
      const start = all.slice(0, at).reduce((sum, one) => sum + one, 0);
      return running.play(speech.subarray(start, start + length));
    });
    const rest = running.play(speech.subarray(4_974));
    assert.equal(await rest.finished, 'played');
    for (const piece of pieces) assert.equal(await piece.finished, 'played');
    await untilFrames(() => pcm().length >= speech.length);
    assert.ok(pcm().equals(speech));
  });

  it('keeps two minutes, and says how much it refused: to the handler, and in the log', async (t) => {
    const { app, running } = await startCall(t);
    const playback = running.play(new Uint8Array(130_000 * 48));
    assert.equal(playback.refusedMs, 10_000);
    running.stop();
    assert.equal(await playback.finished, 'stopped');
    await running.hangUp();
    assert.equal((await app.log.until('call ended')).playbackRefusedMs, 10_000);
  });
});

describe('stop', limits, () => {
  it('silences the app in the middle: StopAudio is the last that the caller gets', async (t) => {
    const { running, untilFrames, frames, pcm } = await startCall(t);
    const first = running.play(counting(20_000));
    const second = running.play(counting(10_000));
    await untilFrames(() => pcm().length >= 48_000);
    running.stop();
    assert.equal(await first.finished, 'stopped');
    assert.equal(await second.finished, 'stopped');
    assert.equal(second.playedMs, 0);
    const playedMs = first.playedMs;
    assert.ok(playedMs >= 400 && playedMs < 20_000, `of a second sent at most half was unheard: ${playedMs}`);
    await untilFrames(() => frames.at(-1)?.kind === 'stop');
    const sentMs = pcm().length / 48;
    assert.ok(sentMs - playedMs <= 500 && sentMs >= playedMs);

    assert.equal(running.send(bytesOf(counting(20))), true, 'and the line is free at once');
    await untilFrames(() => frames.at(-1)?.kind === 'audio');
    assert.equal(frames.filter(({ kind }) => kind === 'stop').length, 1);
    assert.equal(frames.at(-2)?.kind, 'stop', 'nothing of the speech came after it');
  });

  it('is done by the end of the call too', async (t) => {
    const { placed, running } = await startCall(t);
    const playback = running.play(counting(20_000));
    placed.hangUp();
    assert.equal(await playback.finished, 'stopped');
    assert.equal(await running.play(counting(20)).finished, 'stopped', 'nothing plays after the end');
  });
});

describe('a listener', limits, () => {
  it('that is late gets the audio that waited for it, two seconds at most, in order', async (t) => {
    const { placed, running } = await startCall(t);
    const keys = Promise.withResolvers<void>();
    running.on('dtmf', () => keys.resolve());
    const sent = Array.from({ length: 130 }, (_, at) => Buffer.alloc(960, at).toString('base64'));
    for (const data of sent) placed.stream?.socket?.send(audio(data));
    await placed.press('#');
    await keys.promise;

    const heard: string[] = [];
    const last = Promise.withResolvers<void>();
    running.on('audio', ({ data }) => {
      heard.push(data);
      if (data === 'LAST') last.resolve();
    });
    placed.stream?.socket?.send(audio('LAST'));
    await last.promise;
    assert.deepEqual(heard, [...sent.slice(-100), 'LAST']);
  });

  it('set by the handler gets the first frame', async (t) => {
    const heard = Promise.withResolvers<number>();
    const app = await startApp(t, {
      async handler(call) {
        call.on('audio', (frame) => heard.resolve(frame.pcm.length));
      },
    });
    app.simulator.placeCall({ order: 'media-before-answer' });
    assert.equal(await heard.promise, 960);
  });

  it('gets each key that is pressed, and one that was taken off gets nothing', async (t) => {
    const { placed, running } = await startCall(t, { simulator: { ...mute, keyMs: 1 } });
    const keys: string[] = [];
    const done = Promise.withResolvers<void>();
    const listener = () => assert.fail('it was taken off');
    running.on('dtmf', listener).off('dtmf', listener);
    running.on('dtmf', (key) => {
      keys.push(key);
      if (key === '#') done.resolve();
    });
    await placed.press('0189*A#');
    await done.promise;
    assert.deepEqual(keys, [...'0189*A#']);
  });

  it('gets transcriptions', async (t) => {
    const { placed, running } = await startCall(t);
    const heard = Promise.withResolvers<string>();
    running.on('transcription', ({ text, final }) => heard.resolve(`${text} ${final}`));
    const transcriptionData = { text: 'a word', resultStatus: 'Final' };
    placed.stream?.socket?.send(JSON.stringify({ kind: 'TranscriptionData', transcriptionData }));
    assert.equal(await heard.promise, 'a word true');
  });

  it('that fails after the end of its call harms nobody', async (t) => {
    const gate = Promise.withResolvers<void>();
    const { app, placed, running } = await startCall(t, {
      async handler(call) {
        call.on('dtmf', () => gate.promise.then(() => Promise.reject(new Error('too late'))));
        await gate.promise;
        throw new Error('too late');
      },
    });
    await placed.press('1');
    placed.hangUp();
    await end(running);
    gate.resolve();
    await app.log.until('the handler failed after the end of its call');
    assert.equal((await fetch(`${app.url}/healthz`)).status, 200);
  });
});

describe('hangUp', limits, () => {
  it('ends the call for everyone, once, however often it is asked for', async (t) => {
    const { placed, running } = await startCall(t);
    await Promise.all([running.hangUp(), running.hangUp()]);
    await running.hangUp();
    assert.equal((await placed.ended).outcome, 'the app hung up');
    assert.deepEqual(
      placed.report().operations.filter((operation) => operation.startsWith('terminate')),
      ['terminate'],
    );
  });

  it('aborts the signal: a handler that waits for it ends with its call', async (t) => {
    const over = Promise.withResolvers<boolean>();
    const { running } = await startCall(t, {
      async handler(call: Call) {
        await end(call);
        over.resolve(call.signal.aborted);
      },
    });
    await running.hangUp();
    assert.equal(await over.promise, true);
    running.on('audio', () => assert.fail('there is nothing to hear'));
  });
});

describe('transfer', limits, () => {
  for (const to of ['+15550177', '8:acs:someone', '28:orgid:someone']) {
    it(`to ${to} hands the caller over`, async (t) => {
      const { placed, running } = await startCall(t);
      await running.transfer(to);
      assert.equal((await placed.ended).outcome, 'transferred');
      await end(running);
      const { body } = await placed.until(
        'request',
        ({ operation }) => operation === 'transferToParticipant',
      );
      const { rawId } = (body as { targetParticipant: { rawId: string } }).targetParticipant;
      assert.equal(rawId, to.startsWith('+') ? `4:${to}` : to);
      assert.ok(!placed.report().operations.includes('terminate'), 'nobody hangs up a call that went on');
    });
  }

  it('that the other side does not take rejects, and the call goes on', async (t) => {
    const { placed, running, untilFrames, frames } = await startCall(t, { call: { transfer: 'failed' } });
    await assert.rejects(running.transfer('+15550177'), /did not take/);
    assert.equal(running.signal.aborted, false);
    running.send(Buffer.alloc(960));
    await untilFrames(() => frames.length === 1);
    await assert.rejects(running.transfer('+15550178'), /did not take/, 'another one may be tried');
    assert.equal(placed.state, 'connected');
  });

  it('that ACS refuses rejects with its status, and the call goes on', async (t) => {
    const { app, running } = await startCall(t);
    app.simulator.failNext('transferToParticipant', { status: 403 });
    await assert.rejects(running.transfer('+15550177'), { name: 'AcsError', status: 403 });
    assert.equal(running.signal.aborted, false);
  });

  it('is one at a time, and ends with the call', async (t) => {
    const { app, running } = await startCall(t);
    app.simulator.failNext('transferToParticipant', { delayMs: 3_600_000, applied: false });
    const first = assert.rejects(running.transfer('+15550177'), /ended first|Abort/i);
    await assert.rejects(running.transfer('+15550178'), /under way/);
    await running.hangUp();
    await first;
    await assert.rejects(running.transfer('+15550179'), /not connected/);
  });

  it('that ACS took and then says nothing of ends with the call', async (t) => {
    const { app, placed, running } = await startCall(t);
    app.simulator.failNext('transferToParticipant', { status: 202, body: {}, applied: false });
    const transferred = assert.rejects(running.transfer('+15550177'), /ended first/);
    await placed.until('request', ({ operation }) => operation === 'transferToParticipant');
    await placed.post([placed.event('MediaStreamingFailed')]);
    await transferred;
  });

  it('whose events overtake the answer to it is no failure', async (t) => {
    const { app, placed, running } = await startCall(t);
    app.simulator.failNext('transferToParticipant', { delayMs: 3_600_000 });
    await running.transfer('+15550177');
    assert.equal((await placed.ended).outcome, 'transferred');
  });
});

describe('what a call knows', limits, () => {
  it('are its counters, which go on with the next socket', async (t) => {
    const { placed, running, untilFrames, frames } = await startCall(t, { handler: echo });
    const socket = placed.stream?.socket;
    socket?.send(audio('AAAA'));
    socket?.send('nonsense');
    socket?.send(audio('AAAA'));
    await untilFrames(() => frames.length === 2);
    const { framesIn, framesOut, bytesIn, bytesOut, malformed } = running.counters;
    assert.deepEqual([framesIn, framesOut, malformed], [4, 2, 1], 'with the metadata, which came first');
    assert.ok(bytesIn > 2 * audio('AAAA').length);
    assert.equal(bytesOut, 2 * (frames[0]?.text.length ?? 0));
    await placed.openMedia();
    placed.stream?.socket?.send(audio('AAAA'));
    await untilFrames(() => frames.length === 3);
    assert.equal(running.counters.framesOut, 3);
  });

  it('are the ids that ACS has for it, and the connection of its SDK', async (t) => {
    const { placed, running } = await startCall(t);
    const { acs } = running;
    assert.equal(acs.callConnectionId, placed.callConnectionId);
    const properties = await acs.connection?.getCallConnectionProperties();
    assert.equal(properties?.serverCallId, placed.serverCallId);
    assert.match(running.id, /^[0-9a-f]{32}$/);
  });
});
