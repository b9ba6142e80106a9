import type { Target } from './peer.ts';
import type { MeasuredServer } from './server.ts';

/** A server that is measured, and how it is reached. */
export interface Subject {
  server: MeasuredServer;
  target: Omit<Target, 'port'>;
  /** Resolves when it is done with what it has left for later. */
  settled?: (() => Promise<void>) | undefined;
  /** How many records have arrived of what it told of itself. */
  records?: (() => number) | undefined;
}
