import { z } from 'zod';
import { parseIdentifier } from './identifiers.ts';

// Of what the bodies of requests are made. What the REST specification requires is required, and what an operation here
// looks at is checked. The rest may be anything.

/** Plain http and ws are for this machine only, as it has no certificate. */
export const url = (scheme: 'http' | 'ws') =>
  z.string().refine((value) => {
    const parsed = URL.parse(value);
    if (!parsed) return false;
    const { protocol, hostname } = parsed;
    const isLocal = /^(127\.0\.0\.1|localhost|\[::1\])$/.test(hostname);
    return protocol === `${scheme}s:` || (protocol === `${scheme}:` && isLocal);
  }, `has to be a URL with ${scheme}s, or with ${scheme} on this machine`);
/** Clients send these values in more than one casing. */
export const oneOf = <T extends string>(...values: T[]) =>
  z.string().transform((value, context) => {
    const known = values.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
    if (known === undefined) context.addIssue(`has to be one of ${values.join(', ')}`);
    return known ?? z.NEVER;
  });
/** What most operations have in common. */
export const contextRequest = z.looseObject({ operationContext: z.string().nullish() }).default({});
export const identifier = z.looseObject({ rawId: z.string() });

/** Somebody new: the id says everything about them. */
export const newcomer = identifier.transform(({ rawId }) => parseIdentifier(rawId.replace(/^4:(?=\+)/, '')));

/** A request about one participant. */
export const targetRequest = z.looseObject({
  targetParticipant: identifier,
  operationContext: z.string().nullish(),
});
