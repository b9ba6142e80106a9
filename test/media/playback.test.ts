import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createAudioBudget } from '../../src/media/audio-queue.ts';
import { type AudioFormat, defaultFormat } from '../../src/media/frames.ts';
import { createPlayer, type PlayerOptions } from '../../src/media/playback.ts';
import { createManualClock } from './manual-clock.ts';

const BYTES_PER_MS = 48;
const FRAME_BYTES = 960;
const AHEAD_MS = 500;
/** Sums of durations that have no exact binary form. */
const EPSILON_MS = 1e-6;

const pcm = (ms: number) => randomBytes(ms * BYTES_PER_MS);

function setUp(options: Partial<PlayerOptions> = {}) {
  const clock = createManualClock();
  const budget = createAudioBudget(10_000_000);
  const writes: { at: number; pcm: Buffer }[] = [];
  const socket = { accepts: true, format: defaultFormat };
  const player = createPlayer({
    write(bytes) {
      if (!socket.accepts) return false;
      writes.push({ at: clock.now(), pcm: Buffer.from(bytes) });
      return true;
    },
    format: () => socket.format,
    budget,
    now: clock.now,
    schedule: clock.schedule,
    ...options,
  });
  return {
    clock,
    budget,
    writes,
    socket,
    player,
    heard: () => Buffer.concat(writes.map((write) => write.pcm)),
    sentMs: () => writes.reduce((sum, write) => sum + write.pcm.length, 0) / BYTES_PER_MS,
  };
}

/** What a promise has come to by now, if anything. */
async function stateOf<T>(promise: Promise<T>): Promise<T | 'pending'> {
  return await Promise.race([promise, Promise.resolve('pending' as const)]);
}

describe('play', () => {
  it('plays 30 s that come in one go whole, in real time, at most 0.5 s ahead', async () => {
    const { clock, player, writes, heard, sentMs, budget } = setUp();
    const speech = pcm(30_000);
    const start = clock.now();
    const playback = player.play(speech);
    assert.equal(playback.refusedMs, 0);
    for (let elapsed = 0; elapsed < 30_000; elapsed += 10) {
      assert.ok(sentMs() - elapsed <= AHEAD_MS, `${sentMs()} ms sent after ${elapsed} ms`);
      assert.ok(Math.abs(playback.playedMs - elapsed) < EPSILON_MS);
      assert.equal(await stateOf(playback.finished), 'pending');
      assert.ok(player.playing);
      clock.advance(10);
      assert.ok(sentMs() >= Math.min(elapsed + 300, 30_000), 'ACS holds enough for a busy process');
    }
    assert.deepEqual(heard(), speech);
    assert.ok(writes.every((write) => write.pcm.length === FRAME_BYTES));
    clock.advance(1);
    assert.equal(await playback.finished, 'played');
    assert.equal(Math.round(playback.playedMs), 30_000);
    assert.equal(player.playing, false);
    assert.equal(clock.pending, 0, 'no timer is left');
    assert.equal(budget.freeBytes, 10_000_000);
    assert.ok(writes.every((write, i) => i * 20 + 20 - (write.at - start) <= AHEAD_MS));
  });

  it('copies what it is given', () => {
    const { clock, player, heard } = setUp();
    const speech = pcm(1_000);
    const copy = Buffer.from(speech);
    player.play(speech);
    speech.fill(0);
    clock.advance(2_000);
    assert.deepEqual(heard(), copy);
  });

  it('takes samples as they are, and views of a larger buffer', () => {
    const { clock, player, heard } = setUp();
    player.play(new Int16Array([1, -2, 3, 4]).subarray(1, 3));
    clock.advance(1_000);
    assert.deepEqual([...heard()], [0xfe, 0xff, 3, 0]);
  });

  it('queues: each is heard after the one before, and settles at its own end', async () => {
    const { clock, player, heard } = setUp();
    const [one, two, three] = [pcm(950), pcm(30), pcm(500)];
    const playbacks = [one, two, three].map((audio) => player.play(audio));
    const played = () => playbacks.map((playback) => Math.round(playback.playedMs));
    const outcomes = () => Promise.all(playbacks.map((playback) => stateOf(playback.finished)));
    clock.advance(949);
    assert.deepEqual(played(), [949, 0, 0]);
    assert.deepEqual(await outcomes(), ['pending', 'pending', 'pending']);
    clock.advance(11);
    assert.deepEqual(played(), [950, 10, 0]);
    assert.deepEqual(await outcomes(), ['played', 'pending', 'pending']);
    clock.advance(21);
    assert.deepEqual(await outcomes(), ['played', 'played', 'pending']);
    clock.advance(500);
    assert.deepEqual(await outcomes(), ['played', 'played', 'played']);
    assert.deepEqual(heard(), Buffer.concat([one, two, three]));
  });

  it('joins chunks of any size into one stream of whole frames', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_000), { maxLength: 40 }), fc.boolean(), (sizes, together) => {
        const { clock, player, writes, heard, budget } = setUp();
        const speech = randomBytes(sizes.reduce((sum, size) => sum + size, 0));
        let start = 0;
        for (const size of sizes) {
          player.play(speech.subarray(start, start + size));
          start += size;
          if (!together) clock.advance(10);
        }
        clock.advance(10_000);
        // The last byte of an odd number is half a sample: it waits for its other half.
        assert.deepEqual(heard(), speech.subarray(0, speech.length - (speech.length % 2)));
        assert.ok(writes.every((write) => write.pcm.length % 2 === 0));
        if (together) assert.ok(writes.slice(0, -1).every((write) => write.pcm.length === FRAME_BYTES));
        assert.equal(budget.freeBytes, 10_000_000);
      }),
    );
  });

  it('fills up frames while chunks keep coming faster than they are heard', () => {
    const { clock, player, writes } = setUp();
    for (let i = 0; i < 100; i += 1) {
      player.play(pcm(33));
      clock.advance(11);
    }
    clock.advance(10_000);
    const lead = (i: number) =>
      writes.slice(0, i).reduce((sum, { pcm }) => sum + pcm.length / BYTES_PER_MS, 0);
    const short = writes.filter(
      ({ pcm, at }, i) => pcm.length < FRAME_BYTES && lead(i) - (at - 1_000_000) > 200,
    );
    assert.deepEqual(short, []);
    assert.equal(lead(writes.length), 3_300);
  });

  it('begins while pieces keep coming faster than a timer runs', () => {
    const clock = createManualClock();
    // As setTimeout, which never runs within a millisecond.
    const schedule = (run: () => void, ms: number) => clock.schedule(run, Math.max(ms, 1));
    const { player, sentMs } = setUp({ now: clock.now, schedule });
    for (let i = 0; i < 40; i++) {
      player.play(pcm(20));
      clock.advance(0.5);
    }
    assert.ok(sentMs() > 0);
    player.stop();
  });

  it('forgets half a sample when its other half does not come', () => {
    const { clock, player, heard } = setUp();
    player.play(Buffer.from([1, 2, 3]));
    clock.advance(1_000);
    player.play(Buffer.from([4, 5]));
    assert.equal(player.playing, true);
    clock.advance(10_000);
    assert.deepEqual([...heard()], [1, 2, 3, 4]);
    player.play(Buffer.from([6, 7]));
    clock.advance(1_000);
    assert.deepEqual([...heard()], [1, 2, 3, 4, 6, 7]);
  });

  it('finishes at once with nothing to play', async () => {
    const { player, clock } = setUp();
    const playback = player.play(new Uint8Array());
    assert.equal(await stateOf(playback.finished), 'played');
    assert.equal(playback.playedMs, 0);
    assert.equal(player.playing, false);
    assert.equal(clock.pending, 0);
  });

  it('needs nothing but its defaults', async () => {
    const frames: Uint8Array[] = [];
    const write = (bytes: Uint8Array) => frames.push(Buffer.from(bytes)) > 0;
    const player = createPlayer({ write, budget: createAudioBudget() });
    assert.equal(await player.play(pcm(30)).finished, 'played');
    assert.deepEqual(
      frames.map((frame) => frame.length),
      [960, 480],
    );
  });
});

describe('bounds', () => {
  it('keeps what fits of more than 120 s, and counts the rest', async () => {
    const { clock, player, heard } = setUp();
    const speech = pcm(121_000);
    const playback = player.play(speech);
    assert.equal(playback.refusedMs, 1_000);
    const none = player.play(pcm(10));
    assert.equal(none.refusedMs, 10);
    assert.equal(await none.finished, 'stopped');
    clock.advance(10_000);
    assert.equal(player.play(pcm(20_000)).refusedMs, 9_500, 'what was sent has made room');
    assert.equal(player.refusedMs, 10_510);
    clock.advance(200_000);
    assert.equal(await playback.finished, 'played');
    assert.equal(Math.round(playback.playedMs), 120_000);
    assert.deepEqual(heard().subarray(0, 120_000 * BYTES_PER_MS), speech.subarray(0, 120_000 * BYTES_PER_MS));
  });

  it('shares one budget among all calls, and gives back what it took', () => {
    const budget = createAudioBudget(1_000 * BYTES_PER_MS);
    const [a, b] = [setUp({ budget }), setUp({ budget })];
    assert.equal(a.player.play(pcm(800)).refusedMs, 0);
    assert.equal(b.player.play(pcm(800)).refusedMs, 600);
    assert.equal(budget.freeBytes, 0);
    a.clock.advance(800);
    assert.equal(budget.freeBytes, 800 * BYTES_PER_MS);
    b.player.stop();
    assert.equal(budget.freeBytes, 1_000 * BYTES_PER_MS);
    b.player.play(pcm(1_000));
    b.player.close();
    assert.equal(budget.freeBytes, 1_000 * BYTES_PER_MS);
  });

  it('gives the budget back while a long piece plays', () => {
    const { clock, player, budget } = setUp();
    player.play(pcm(60_000));
    clock.advance(30_000);
    const held = 10_000_000 - budget.freeBytes;
    assert.ok(held < 32_000 * BYTES_PER_MS, `${held} bytes held`);
  });

  it('loses no half sample when it refuses', () => {
    const { clock, player, heard } = setUp({ maxQueuedMs: 1 });
    const speech = Buffer.from(Array.from({ length: 51 }, (_, i) => i));
    player.play(speech);
    clock.advance(100);
    player.play(Buffer.from([51, 52, 53]));
    clock.advance(1_000);
    assert.deepEqual([...heard()], [...speech.subarray(0, 48), 50, 51, 52, 53]);
  });
});

describe('stop', () => {
  it('cuts off everything, and says how much was heard', async () => {
    const { clock, player, writes, budget } = setUp();
    const playbacks = [player.play(pcm(1_000)), player.play(pcm(30_000)), player.play(pcm(1_000))];
    clock.advance(3_333);
    const before = writes.length;
    assert.equal(Math.round(player.stop()), 32_000 - 3_333, 'how much was left to say');
    assert.equal(player.playing, false);
    assert.equal(budget.freeBytes, 10_000_000);
    assert.equal(clock.pending, 0);
    clock.advance(60_000);
    assert.equal(writes.length, before, 'nothing more is sent');
    assert.deepEqual(
      playbacks.map((playback) => Math.round(playback.playedMs)),
      [1_000, 2_333, 0],
    );
    const outcomes = await Promise.all(playbacks.map((playback) => playback.finished));
    assert.deepEqual(outcomes, ['played', 'stopped', 'stopped']);
  });

  it('counts as played what has been heard to its end by then', async () => {
    const { clock, player } = setUp();
    const playback = player.play(pcm(100));
    clock.advance(50);
    clock.block(51);
    player.stop();
    assert.equal(await playback.finished, 'played');
    assert.equal(Math.round(playback.playedMs), 100);
  });

  it('starts again at once: what ACS held is gone', () => {
    const { clock, player, writes } = setUp();
    player.play(pcm(30_000));
    clock.advance(1_000);
    player.stop();
    const before = writes.length;
    const playback = player.play(pcm(1_000));
    clock.advance(100);
    assert.equal(writes.length - before, 30, '0.5 s and then 0.1 s');
    assert.equal(Math.round(playback.playedMs), 100);
  });

  it('forgets half a sample', () => {
    const { clock, player, heard } = setUp();
    player.play(Buffer.from([1, 2, 3]));
    player.stop();
    player.play(Buffer.from([4, 5]));
    clock.advance(1_000);
    assert.deepEqual([...heard()], [4, 5]);
  });

  it('does nothing twice', () => {
    const { player } = setUp();
    player.stop();
    player.stop();
    player.close();
    player.close();
    assert.equal(player.playing, false);
  });
});

describe('close', () => {
  it('settles everything, and plays nothing more', async () => {
    const { clock, player, writes, budget } = setUp();
    const playback = player.play(pcm(1_000));
    player.close();
    assert.equal(await playback.finished, 'stopped');
    const late = player.play(pcm(1_000));
    assert.equal(await late.finished, 'stopped');
    assert.equal(late.refusedMs, 1_000);
    clock.advance(2_000);
    assert.deepEqual(writes, []);
    assert.equal(budget.freeBytes, 10_000_000);
  });
});

describe('pace', () => {
  it('keeps a frame that the socket does not take, and goes on without a gap or a burst', async () => {
    const { clock, player, socket, heard, writes } = setUp();
    const speech = pcm(5_000);
    const playback = player.play(speech);
    clock.advance(1_000);
    socket.accepts = false;
    clock.advance(10_000);
    assert.equal(Math.round(playback.playedMs), 1_500, 'what was sent is heard');
    assert.ok(player.playing);
    socket.accepts = true;
    const before = writes.length;
    clock.advance(100);
    assert.ok(writes.length - before <= AHEAD_MS / 20 + 5);
    clock.advance(5_000);
    assert.equal(await playback.finished, 'played');
    assert.deepEqual(heard(), speech);
  });

  it('does not make up for lost time after the process was busy', () => {
    const { clock, player, writes } = setUp();
    const playback = player.play(pcm(30_000));
    clock.advance(1_000);
    clock.block(5_000);
    const before = writes.length;
    clock.advance(0);
    assert.equal(writes.length - before, AHEAD_MS / 20);
    assert.equal(Math.round(playback.playedMs), 1_500, 'only what had been sent was heard');
    clock.advance(1_000);
    assert.equal(Math.round(playback.playedMs), 2_500);
  });

  it('asks for no time in the past, however slow the process is', () => {
    let busyMs = 0;
    const asked: number[] = [];
    const clock = createManualClock();
    const { player } = setUp({
      write() {
        busyMs += 3;
        return true;
      },
      now: () => clock.now() + busyMs,
      schedule(run, ms) {
        asked.push(ms);
        return clock.schedule(run, ms);
      },
    });
    for (let piece = 0; piece < 50; piece++) player.play(pcm(50));
    while (player.playing) clock.advance(1);
    assert.deepEqual(
      asked.filter((ms) => ms < 0),
      [],
    );
    assert.ok(asked.some((ms) => ms === 0));
  });

  it('says how long nothing was heard since it was late, and not since nothing was there', () => {
    const { clock, player, socket } = setUp();
    player.play(pcm(1_000));
    clock.advance(5_000);
    player.play(pcm(2_000));
    clock.advance(10);
    assert.equal(player.behindMs, 0, 'nothing was there to be played');
    clock.block(1_490);
    clock.advance(0);
    assert.equal(Math.round(player.behindMs), 1_000, 'the process was busy');
    socket.accepts = false;
    clock.advance(700);
    socket.accepts = true;
    clock.advance(100);
    assert.equal(Math.round(player.behindMs), 1_300, 'the socket took nothing');
    clock.advance(5_000);
    assert.equal(Math.round(player.behindMs), 1_300);
  });

  it('follows the format of the call', async () => {
    const { clock, player, socket, writes } = setUp();
    const narrow: AudioFormat = { encoding: 'PCM', sampleRate: 16_000, channels: 1 };
    const first = player.play(pcm(1_000));
    clock.advance(2_000);
    assert.equal(await first.finished, 'played');
    socket.format = narrow;
    const before = writes.length;
    const second = player.play(randomBytes(32 * 1_000));
    clock.advance(500);
    assert.equal(Math.round(second.playedMs), 500);
    assert.ok(writes.slice(before).every((write) => write.pcm.length === 640));
    clock.advance(501);
    assert.equal(await second.finished, 'played');
    assert.equal(Math.round(second.playedMs), 1_000);
  });

  it('takes a format that comes after the audio', () => {
    const { clock, player, socket } = setUp();
    const playback = player.play(randomBytes(32 * 2_000));
    socket.format = { encoding: 'PCM', sampleRate: 16_000, channels: 1 };
    clock.advance(1_000);
    assert.equal(Math.round(playback.playedMs), 1_000);
    clock.advance(1_001);
    assert.equal(player.playing, false);
  });

  it('sends whole samples at odd rates', () => {
    const { clock, player, socket, writes } = setUp();
    socket.format = { encoding: 'PCM', sampleRate: 11_025, channels: 1 };
    player.play(randomBytes(22_050));
    clock.advance(2_000);
    assert.ok(writes.every((write) => write.pcm.length % 2 === 0));
    assert.equal(
      writes.reduce((sum, write) => sum + write.pcm.length, 0),
      22_050,
    );
  });
});

describe('whatever happens', () => {
  type Step = { play: number } | { advance: number } | { block: number } | { accepts: boolean } | 'stop';
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.nat(60_000).map((play) => ({ play })) },
    { weight: 4, arbitrary: fc.nat(900).map((advance) => ({ advance })) },
    fc.nat(2_000).map((block) => ({ block })),
    fc.boolean().map((accepts) => ({ accepts })),
    fc.constant('stop' as const),
  );

  it('is never too far ahead, out of order, or wrong in its sums', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { clock, player, socket, writes, budget } = setUp({ maxQueuedMs: 2_000 });
        const playbacks: { playback: ReturnType<typeof player.play>; ms: number }[] = [];
        const start = clock.now();
        let since = 0; // the first write after the last stop
        for (const step of steps) {
          if (step === 'stop') {
            player.stop();
            since = writes.length;
          } else if ('play' in step) {
            const audio = randomBytes(step.play - (step.play % 2));
            playbacks.push({ playback: player.play(audio), ms: audio.length / BYTES_PER_MS });
          } else if ('advance' in step) clock.advance(step.advance);
          else if ('block' in step) clock.block(step.block);
          else socket.accepts = step.accepts;
          assertPaced(writes.slice(since));
          const played = playbacks.reduce((sum, { playback }) => sum + playback.playedMs, 0);
          assert.ok(played <= clock.now() - start + EPSILON_MS, 'more was heard than time has passed');
        }
        socket.accepts = true;
        clock.advance(10_000);
        for (const { playback, ms } of playbacks) {
          const outcome = await stateOf(playback.finished);
          assert.notEqual(outcome, 'pending');
          const kept = ms - playback.refusedMs;
          if (outcome === 'played') assert.ok(Math.abs(playback.playedMs - kept) < EPSILON_MS);
          else assert.ok(playback.playedMs <= kept + EPSILON_MS);
        }
        assert.equal(player.playing, false);
        assert.equal(clock.pending, 0);
        assert.equal(budget.freeBytes, 10_000_000);
      }),
      { numRuns: 300 },
    );
  });

  /** From any frame on, what is sent runs at most 0.5 s ahead of the time that passes. */
  function assertPaced(writes: { at: number; pcm: Buffer }[]): void {
    let heardAt = Number.NEGATIVE_INFINITY;
    for (const { at, pcm } of writes) {
      heardAt = Math.max(heardAt, at) + pcm.length / BYTES_PER_MS;
      assert.ok(heardAt - at <= AHEAD_MS + EPSILON_MS);
    }
  }
});
