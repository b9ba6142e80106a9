/** Why somebody was refused: a closed list for logs and telemetry, never input. */
export type RefusalReason =
  | keyof typeof missingToken
  | keyof typeof invalidToken
  | keyof typeof cannotVerify
  | keyof typeof binding
  | (typeof ofTheApp)[number];

const missingToken = {
  no_token: 'A Bearer token is required',
  other_scheme: 'A Bearer token is required, not another scheme',
  several_headers: 'More than one Authorization header',
};

const invalidToken = {
  too_long: 'The token is longer than 8 KiB',
  malformed: 'The token is not a well-formed JWT',
  algorithm: 'The token is not signed with RS256',
  kid: 'The token names no key (kid)',
  critical_header: 'The token has a crit header',
  foreign_key: 'The token brings or links a key of its own',
  expiry: 'The token has no valid exp',
  expired: 'The token has expired',
  not_before: 'The token has no valid nbf',
  not_yet_valid: 'The token is not valid yet',
  issuer: 'The token is from another issuer',
  audience: 'The token is for another audience',
  unknown_key: 'The token is signed with an unknown key',
  signature: 'The signature of the token does not match',
};

const cannotVerify = {
  no_keys: 'The keys that verify tokens cannot be fetched now',
  too_many_waiting: 'Too many tokens wait for keys',
  too_slow: 'The check of the token took too long',
  not_configured: 'The app is not configured completely',
  fault: 'The token cannot be checked now',
};

const binding = {
  no_binding: 'The address lacks the binding of a call',
  bad_binding: 'The binding in the address is not valid',
  call_ended: 'The call has ended',
  too_late: 'The binding in the address is too old',
};

const ofTheApp = ['wrong_key', 'draining', 'at_capacity'] as const;

/** Every {@link RefusalReason}. */
export const refusalReasons: readonly string[] = [
  ...[missingToken, invalidToken, cannotVerify, binding].flatMap(Object.keys),
  ...ofTheApp,
];

interface RefusalFields {
  status: number;
  code: string;
  reason: RefusalReason;
  message: string;
  challenge?: string | undefined;
  retryAfterSeconds?: number | undefined;
  closeReason?: string | undefined;
  details?: Readonly<Record<string, string>> | undefined;
  cause?: unknown;
}

/**
 * A request that is not let in. What it says outside (`code`, `message`) never repeats input. refusal-answers.ts
 * turns it into an answer.
 */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';
  /** HTTP status. */
  readonly status: number;
  /** For programs, in the error body: stable. */
  readonly code: string;
  readonly reason: RefusalReason;
  /** The value of WWW-Authenticate (RFC 6750, section 3), for a 401. */
  readonly challenge: string | undefined;
  /** The value of Retry-After in seconds, for a 429 or 503. */
  readonly retryAfterSeconds: number | undefined;
  /** With WS_REFUSE=close: the reason that goes with close code 4401. Without one the refusal stays HTTP. */
  readonly closeReason: string | undefined;
  /** For the log alone: bounded, and nothing secret. */
  readonly details: Readonly<Record<string, string>>;

  constructor(fields: RefusalFields) {
    super(fields.message, { cause: fields.cause });
    this.status = fields.status;
    this.code = fields.code;
    this.reason = fields.reason;
    this.challenge = fields.challenge;
    this.retryAfterSeconds = fields.retryAfterSeconds;
    this.closeReason = fields.closeReason;
    this.details = fields.details ?? {};
  }
}

/** 401: no Bearer token came, or no single one. */
export class MissingToken extends Refusal {
  override readonly name = 'MissingToken';

  constructor(reason: keyof typeof missingToken) {
    const message = missingToken[reason];
    const isAmbiguous = reason === 'several_headers';
    super({
      status: 401,
      code: isAmbiguous ? 'invalid_request' : 'missing_token',
      reason,
      message,
      // RFC 6750, 3.1: who sent no token, or used another scheme, gets no error code.
      challenge: isAmbiguous ? challenge('invalid_request', message) : 'Bearer',
      closeReason: 'Missing or invalid Authorization header',
    });
  }
}

/** 401: a token came, and it isn't one that ACS signed for this resource. */
export class InvalidToken extends Refusal {
  override readonly name = 'InvalidToken';

  constructor(reason: keyof typeof invalidToken, details?: Readonly<Record<string, string>>) {
    const message = invalidToken[reason];
    super({
      status: 401,
      code: 'invalid_token',
      reason,
      message,
      challenge: challenge('invalid_token', message),
      closeReason: 'Invalid token',
      details,
    });
  }
}

/** 503: whether the caller may come in can't be told now. Never a 401, and never a way in. */
export class CannotVerify extends Refusal {
  override readonly name = 'CannotVerify';

  constructor(reason: keyof typeof cannotVerify, { cause }: { cause?: unknown } = {}) {
    const message = cannotVerify[reason];
    super({ status: 503, code: 'cannot_verify', reason, message, retryAfterSeconds: 5, cause });
  }
}

/** 403: the token holds, but the address doesn't belong to a call that may come in (any more). */
export class BindingRefused extends Refusal {
  override readonly name = 'BindingRefused';

  constructor(reason: keyof typeof binding) {
    super({ status: 403, code: reason, reason, message: binding[reason] });
  }
}

/** 401: a delivery of Event Grid without its secret. Its challenge names the header, since RFC 9110 wants one. */
export class WrongEventGridKey extends Refusal {
  override readonly name = 'WrongEventGridKey';

  constructor() {
    const message = 'The x-event-grid-key header is missing or wrong';
    super({ status: 401, code: 'wrong_key', reason: 'wrong_key', message, challenge: 'X-Event-Grid-Key' });
  }
}

/** 503: the process takes no new calls because it is about to stop. */
export class Draining extends Refusal {
  override readonly name = 'Draining';

  constructor() {
    const message = 'This instance is about to stop';
    super({ status: 503, code: 'draining', reason: 'draining', message, retryAfterSeconds: 10 });
  }
}

/** 429: as many calls as the process may have. */
export class AtCapacity extends Refusal {
  override readonly name = 'AtCapacity';

  constructor() {
    const message = 'This instance has as many calls as it may have';
    super({ status: 429, code: 'at_capacity', reason: 'at_capacity', message, retryAfterSeconds: 10 });
  }
}

// The texts are this file's: none has a quote or a backslash, which RFC 6750 doesn't allow in a description.
const challenge = (error: string, description: string) =>
  `Bearer error="${error}", error_description="${description}"`;
