import { once } from 'node:events';
import type { SimulatedCall } from '../../simulator/calls/handle.ts';
import type { CallFaults } from '../../simulator/faults/faults.ts';
import { dial, upgradeHead } from './raw.ts';

/** What a call gets up to. */
export const mischiefs = [
  'garbage',
  'oversize',
  'never reads',
  'flood',
  'reset',
  'drops, comes back',
  'drops, is asked back',
] as const;
export type Mischief = (typeof mischiefs)[number];

export const isMischief = (kind: string): kind is Mischief => mischiefs.some((one) => one === kind);

/** What a trick needs. */
export interface Trick {
  call: SimulatedCall;
  /** Where its media goes. */
  address: URL;
  token: () => Promise<string>;
  /** Waits, or until the call is over. */
  pause: (ms: number) => Promise<void>;
  /** Waits until the call has its media again, or is over. */
  untilMedia: () => Promise<void>;
}

interface Misconduct {
  /** Who ends the call for it; where it is the caller, the call has to have its media again by then. */
  endedBy: 'caller' | 'app';
  /** Why, as the app's log has it. */
  reason: string;
  faults?: CallFaults;
  act(trick: Trick): Promise<void>;
}

/** 20 ms of silence as ACS sends it. */
const silence = JSON.stringify({
  kind: 'AudioData',
  audioData: {
    timestamp: '2026-01-01T00:00:00.000Z',
    data: Buffer.alloc(960).toString('base64'),
    silent: true,
  },
});

const closedHere = 'its socket was closed here';
const endedThere = 'CallDisconnected';

/** How each of them goes about it, and what the app is to do about it. */
export const misconduct: Readonly<Record<Mischief, Misconduct>> = {
  garbage: {
    endedBy: 'app',
    reason: closedHere,
    async act({ call, pause }) {
      const nonsense = ['{', 'null', '{"kind":"AudioData"}', Buffer.from([0, 1, 2]), '💥', '[]'];
      const send = (times: number) => {
        for (let at = 0; at < times; at++) call.stream?.socket?.send(nonsense[at % nonsense.length] ?? '');
      };
      send(50); // which is borne
      await pause(1_000);
      send(150);
    },
  },
  oversize: {
    endedBy: 'app',
    reason: closedHere,
    async act({ call }) {
      call.stream?.socket?.send('x'.repeat(4 * 1024 * 1024));
    },
  },
  // What it doesn't read has to be more than the system's own buffers take.
  'never reads': {
    endedBy: 'app',
    reason: closedHere,
    async act({ call, pause }) {
      const socket = call.stream?.socket;
      socket?.pause();
      for (let sent = 0; sent < 20_000 && call.state === 'connected'; sent += 200) {
        for (let at = 0; at < 200; at++) socket?.send(silence);
        await pause(20);
      }
    },
  },
  flood: {
    endedBy: 'caller',
    reason: endedThere,
    async act({ call }) {
      for (let at = 0; at < 2_000; at++) call.stream?.socket?.send(silence);
    },
  },
  // Another socket of the same call takes over, and is gone in the middle of a frame.
  reset: {
    endedBy: 'caller',
    reason: endedThere,
    async act({ address, token, pause, untilMedia }) {
      const head = upgradeHead(address.pathname, await token());
      const socket = dial(Number(address.port), `${head}\r\n`);
      await Promise.race([once(socket, 'data'), pause(5_000)]);
      socket.write(Buffer.from([0x81, 0xfe, 0x05]));
      await pause(200);
      socket.resetAndDestroy();
      await untilMedia();
    },
  },
  'drops, comes back': {
    endedBy: 'caller',
    reason: endedThere,
    faults: { dropMediaAfterMs: 3_000, returnMediaAfterMs: 300 },
    act: async ({ pause }) => pause(5_000),
  },
  'drops, is asked back': {
    endedBy: 'caller',
    reason: endedThere,
    async act({ call, pause, untilMedia }) {
      call.stream?.socket?.drop();
      await pause(500);
      await untilMedia();
    },
  },
};
