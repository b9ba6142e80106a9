import type { Result } from '../events/callbacks.ts';
import type { Exchange } from '../exchange.ts';
import type { Happening } from '../journal.ts';
import type { CallOptions, FailingOperation } from './handle.ts';
import type { CallIds, Identifier } from './identifiers.ts';

/** What the parts of a call have in common. */
export interface CallContext {
  ids: CallIds;
  /** How the call was placed. */
  options: CallOptions;
  exchange: Exchange;
  /** Which of those in the call is the app. */
  app: Identifier;
  /** Fires when the call has ended. */
  over: AbortSignal;
  /** Whether an operation that was accepted is to fail. */
  fails: (operation: FailingOperation | 'transfer') => boolean;
  note: (happening: Happening) => void;
  /** Posts a callback event, unless the call's last has been. */
  push: (type: string, data?: object, result?: Result) => Promise<void>;
}
