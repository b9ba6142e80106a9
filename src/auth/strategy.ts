import passport from 'passport';
import { Strategy } from 'passport-jwt';
import { CannotVerify, InvalidToken, Refusal } from './refusals.ts';
import type { SigningKeys } from './signing-keys.ts';
import {
  type Claims,
  checkClaims,
  checkHeader,
  clockToleranceSeconds,
  type Expected,
  type Token,
} from './token.ts';

/** Tells whether a token is what it says: its claims, or a rejection with a refusal. */
export type Authenticate = (token: Token) => Promise<Claims>;

/** What Passport gets to see as its request: it decorates what it is given, and the real one is not its business. */
interface Presented {
  token: Token;
}

/**
 * The one check of ACS's tokens: Passport, with a passport-jwt strategy named `acs`.
 *
 * @param options.keys finds the issuer's key for a `kid`
 * @param options.expected what the token has to say
 * @param options.checkMs how long a check may last, in milliseconds
 * @param options.now clock in milliseconds (jsonwebtoken checks the times again, by the real one)
 */
export function createAuthenticate({
  keys,
  expected,
  checkMs = 5000,
  now = Date.now,
}: {
  keys: Pick<SigningKeys, 'find'>;
  expected: Expected;
  checkMs?: number;
  now?: () => number;
}): Authenticate {
  // Not the global Passport: what else uses that must not reach this one.
  const authenticator = new passport.Passport();
  authenticator.use('acs', createStrategy(keys, expected, now));

  return (token) => {
    let timer: NodeJS.Timeout;
    return new Promise<Claims>((resolve, reject) => {
      timer = setTimeout(() => reject(new CannotVerify('too_slow')), checkMs);
      // Settling a promise runs none of its owner's code here, and only the first time counts: what is thrown
      // later on can't come back into Passport and have it call again.
      const settle = (error: unknown, claims: Claims | false | undefined, info: unknown) => {
        if (claims) resolve(claims);
        else reject(error ?? refusalOf(info));
      };
      authenticator.authenticate('acs', { session: false }, settle)(
        { token } satisfies Presented,
        {},
        reject,
      );
    }).finally(() => clearTimeout(timer));
  };
}

function createStrategy(keys: Pick<SigningKeys, 'find'>, expected: Expected, now: () => number): Strategy {
  const findKey = async ({ header, payload }: Token) => {
    // Before the look-up: a token that is wrong anyway costs neither a fetch nor RSA.
    const kid = checkHeader(header);
    checkClaims(payload, expected, Math.floor(now() / 1000));
    return keys.find(kid);
  };
  return new Strategy(
    {
      jwtFromRequest: ({ token }: Presented) => token.raw,
      secretOrKeyProvider: ({ token }: Presented, _raw, done) => {
        findKey(token)
          // jsonwebtoken takes a KeyObject (a PEM would double the cost of a check); the types lag behind.
          .then((key) => done(null, key as unknown as Buffer))
          .catch((error) =>
            done(error instanceof Refusal ? error : new CannotVerify('fault', { cause: error })),
          );
      },
      algorithms: ['RS256'],
      issuer: expected.issuer,
      audience: expected.audience,
      jsonWebTokenOptions: { clockTolerance: clockToleranceSeconds },
    },
    (claims: Claims, done) => done(null, claims),
  );
}

/**
 * passport-jwt hands a key provider's error on as `info`, where jsonwebtoken's verdict comes too: they are told
 * apart by class. Our own checks are over by the time of that verdict, so what it finds is the signature.
 */
function refusalOf(info: unknown): Refusal {
  return info instanceof Refusal ? info : new InvalidToken('signature');
}
