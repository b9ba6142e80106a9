import assert from 'node:assert/strict';
import { EventEmitter, on } from 'node:events';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { MediaStreamingAudioChannelType } from '@azure/communication-call-automation';
import type { WebSocket } from 'ws';
import type { CallOptions } from '../../../simulator/calls/handle.ts';
import { parseIdentifier } from '../../../simulator/calls/identifiers.ts';
import { createVoices } from '../../../simulator/media/voices.ts';
import { answeredCall } from '../support/answered.ts';
import { echo } from '../support/app.ts';

const caller = '+15550100';
const colleagues = ['+15550121', '+15550122', '+15550123', '+15550124'] as const;
const [colleague] = colleagues;

interface Heard {
  participantRawID?: string;
  pcm: Buffer;
  silent: boolean;
}

/** A minute of one value: who speaks is told by it, and a sum by the sum. */
const steady = (value: number) => ({ sampleRate: 24_000, samples: new Int16Array(60 * 24_000).fill(value) });
const level = ({ pcm }: Heard) => pcm.readInt16LE(400);
const samples = (pcm: Buffer) => new Set(new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2));

/** An app that adds people to its call, and hears. */
async function start(
  t: TestContext,
  {
    channels = 'unmixed',
    onFrame,
    ...options
  }: Omit<CallOptions, 'app' | 'onFrame'> & {
    channels?: MediaStreamingAudioChannelType;
    onFrame?: (text: string, socket: WebSocket) => void;
  } = {},
) {
  const sound = new EventEmitter();
  const told = await answeredCall(t, {
    sound: steady(1_000),
    voices: Object.fromEntries(colleagues.map((who, at) => [who, steady(2_000 * (at + 1))])),
    marked: false,
    ...options,
    app: {
      media: { audioChannelType: channels },
      onFrame(text, socket) {
        const { kind, audioData } = JSON.parse(text);
        if (kind === 'AudioData')
          sound.emit('frame', { ...audioData, pcm: Buffer.from(audioData.data, 'base64') });
        onFrame?.(text, socket);
      },
    },
  });

  return {
    ...told,
    /** The first of the frames to come that is like this. */
    async until(match: (frame: Heard) => boolean): Promise<Heard> {
      for await (const [frame] of on(sound, 'frame', { signal: t.signal })) if (match(frame)) return frame;
      assert.fail();
    },
    async next(count: number): Promise<Heard[]> {
      const frames: Heard[] = [];
      for await (const [frame] of on(sound, 'frame', { signal: t.signal }))
        if (frames.push(frame) === count) break;
      return frames;
    },
    async add(...numbers: string[]) {
      for (const phoneNumber of numbers) {
        const invite = {
          targetParticipant: { phoneNumber },
          sourceCallIdNumber: { phoneNumber: '+15550199' },
        };
        await told.connection.addParticipant(invite, { operationContext: phoneNumber });
        await told.event('AddParticipantSucceeded', phoneNumber);
      }
    },
  };
}

const levels = (frames: readonly Heard[]) =>
  Object.fromEntries(frames.map((frame) => [frame.participantRawID, level(frame)]));

test('unmixed: everyone in the call has frames of their own', async (t) => {
  const { add, until, next } = await start(t);
  await add(colleagues[0], colleagues[1]);
  await until(({ participantRawID }) => participantRawID === `4:${colleagues[1]}`);
  const frames = await next(6);
  const everyone = { '4:+15550100': 1_000, '4:+15550121': 2_000, '4:+15550122': 4_000 };
  assert.deepEqual(levels(frames.slice(0, 3)), everyone, 'each once in 20 ms');
  assert.deepEqual(levels(frames.slice(3)), everyone);
  assert.ok(frames.every(({ silent }) => !silent));
});

test('unmixed: four are told apart at most', async (t) => {
  const { add, until, next } = await start(t);
  await add(...colleagues);
  await until(({ participantRawID }) => participantRawID === `4:${colleagues[2]}`);
  assert.equal(new Set((await next(12)).map(({ participantRawID }) => participantRawID)).size, 4);
});

test('mixed: everyone is heard at once, and nobody is named', async (t) => {
  const { connection, add, until } = await start(t, { channels: 'mixed' });
  await add(colleague);
  const both = await until((frame) => level(frame) === 3_000);
  assert.deepEqual([both.participantRawID, both.silent], [undefined, false]);
  await connection.removeParticipant({ phoneNumber: colleague });
  await until((frame) => level(frame) === 1_000);
});

test('mixed: what is too loud is clipped', async (t) => {
  const voices = { [colleague]: steady(32_000) };
  const { add, until } = await start(t, { channels: 'mixed', voices });
  await add(colleague);
  await until((frame) => level(frame) === 32_767);
});

test('each has a voice of their own, unless told what to say', async (t) => {
  const { add, until } = await start(t, { sound: 'speech', voices: {} });
  const first = new Map<string | undefined, string>();
  const begun = until(({ participantRawID, pcm, silent }) => {
    if (!silent && !first.has(participantRawID)) first.set(participantRawID, pcm.toString('hex'));
    return first.size === 3;
  });
  await add(colleagues[0], colleagues[1]);
  await begun;
  assert.equal(new Set(first.values()).size, 3);
});

test('whoever is muted has silent frames, and the others go on', async (t) => {
  const { connection, add, until, next } = await start(t);
  await add(colleague);
  await connection.muteParticipant({ phoneNumber: colleague });
  const muted = await until(({ silent }) => silent);
  assert.equal(muted.participantRawID, `4:${colleague}`);
  assert.deepEqual(samples(muted.pcm), new Set([0]));
  assert.deepEqual(levels(await next(2)), { [`4:${caller}`]: 1_000, [`4:${colleague}`]: 0 });
});

test('mixed: a muted participant is missing from the sum, and where all are muted it is silent', async (t) => {
  const { connection, add, until } = await start(t, { channels: 'mixed' });
  await add(colleague);
  await until((frame) => level(frame) === 3_000);
  await connection.muteParticipant({ phoneNumber: caller });
  await until((frame) => level(frame) === 2_000);
  await connection.muteParticipant({ phoneNumber: colleague });
  const { pcm } = await until(({ silent }) => silent);
  assert.deepEqual(samples(pcm), new Set([0]));
});

test('somebody on hold is not heard, and hears nothing', async (t) => {
  const said = Buffer.alloc(960, 7);
  const talk = (_text: string, socket: WebSocket) =>
    socket.send(JSON.stringify({ Kind: 'AudioData', AudioData: { Data: said.toString('base64') } }));
  const { connection, call, until, next } = await start(t, { onFrame: talk });
  const media = connection.getCallMedia();
  const heard = () => call.report().media?.heardMs ?? 0;
  await until(() => heard() > 0);
  await media.hold({ phoneNumber: caller });
  await until(({ silent }) => silent);
  const before = heard();
  await next(10);
  assert.equal(heard(), before);
  const { app } = call.stream?.audio() ?? assert.fail();
  assert.deepEqual(samples(app.subarray(-960 * 5)), new Set([0]));
  await media.unhold({ phoneNumber: caller });
  await until(({ silent }) => !silent);
  await until(() => heard() > before);
});

test('while one is on hold, the app still talks to another', async (t) => {
  const { connection, call, add, until } = await start(t, { onFrame: echo });
  await add(colleague);
  await connection.getCallMedia().hold({ phoneNumber: caller });
  const { silent, participantRawID } = await until(({ silent }) => silent);
  assert.deepEqual([silent, participantRawID], [true, `4:${caller}`]);
  const before = call.report().media?.heardMs ?? 0;
  await until(() => (call.report().media?.heardMs ?? 0) > before);
});

test('a voice ends with its removal, and begins anew with the next invitation', async (t) => {
  const once = { sampleRate: 24_000, samples: new Int16Array(480).fill(9_000) };
  const { connection, add, until, next } = await start(t, { voices: { [colleague]: once } });
  const begun = () => until((frame) => level(frame) === 9_000);
  await Promise.all([begun(), add(colleague)]);
  await connection.removeParticipant({ phoneNumber: colleague });
  let before: string | undefined;
  await until(({ participantRawID }) => {
    const isAlone = participantRawID === before;
    before = participantRawID;
    return isAlone;
  });
  assert.deepEqual(Object.keys(levels(await next(4))), [`4:${caller}`]);
  await Promise.all([begun(), add(colleague)]);
});

test('what the caller says is made up before the first frame is due', () => {
  const asked: string[] = [];
  createVoices({
    app: '4:+15550199',
    present: () => [{ identifier: parseIdentifier(caller), isMuted: false, isOnHold: false }],
    sampleRate: 24_000,
    speechOf(rawId) {
      asked.push(rawId);
      return { sound: steady(1), loop: false };
    },
  });
  assert.deepEqual(asked, [`4:${caller}`]);
});

for (const channels of ['mixed', 'unmixed'] as const) {
  test(`${channels}: each frame of several speakers is known again when it comes back`, async (t) => {
    const { call, add, next } = await start(t, { channels, marked: true, seconds: 5, onFrame: echo });
    await add(colleague);
    await next(2);
    const { media } = await call.ended;
    assert.ok(media);
    assert.deepEqual([media.lost, media.repeated, media.foreign], [0, 0, 0]);
    assert.equal(media.returned, media.sent);
    assert.ok(channels === 'mixed' ? media.sent === 250 : media.sent > 250, `${media.sent} were sent`);
  });
}
