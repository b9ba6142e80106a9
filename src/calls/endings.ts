/** How a call can end, and what follows from it: the socket's close code (RFC 6455, 7.4) and who hangs up. */
export interface Ending {
  /** Why, for the log. */
  readonly reason: string;
  /** Code and reason that the socket is closed with, if it is still open. */
  readonly code: 1000 | 1001 | 1008 | 1011;
  readonly say: string;
  /** Whoever ends the media ends the call: nobody is left in silence that is paid for. */
  readonly hangUp: boolean;
}

const over = (reason: string): Ending => ({ reason, code: 1000, say: 'The call is over', hangUp: false });
const limit = (reason: string, say: string): Ending => ({ reason, code: 1008, say, hangUp: true });
const lost = (reason: string): Ending => ({ reason, code: 1001, say: 'The call is given up', hangUp: true });

export const endings = {
  disconnected: over('CallDisconnected'),
  answerFailed: over('the answer failed'),
  gone: over('ACS no longer knows the call'),
  socketClosed: over('the socket closed'),
  unanswered: lost('ACS gave no sign of an answer'),
  late: lost('ACS answered it when it had been given up, and there is no room'),
  hungUp: { reason: 'the handler hung up', code: 1000, say: 'The call is over', hangUp: true },
  handlerFailed: { reason: 'the handler failed', code: 1011, say: 'The handler failed', hangUp: true },
  draining: { reason: 'this process stops', code: 1001, say: 'Going away', hangUp: true },
  tooLong: limit('MAX_CALL_SECONDS are over', 'The call is too long'),
  idle: limit('nothing came for IDLE_CALL_SECONDS', 'Idle'),
  misbehaved: limit('its socket was closed here', 'Policy'),
  mediaMissing: lost('no socket came in time after the answer'),
  mediaLost: lost('the socket dropped and no other came'),
  mediaFailed: lost('MediaStreamingFailed'),
} as const satisfies Record<string, Ending>;
