import { z } from 'zod';
import { parseIdentifier } from '../calls/identifiers.ts';

// Of what the bodies of requests are made. What the REST specification requires is required, and what an operation here
// looks at is checked. The rest may be anything.

/** Whether the host of a URL is this machine. */
export const isLoopback = (hostname: string) => /^(127\.0\.0\.1|localhost|\[::1\])$/.test(hostname);

/** Plain http and ws are for this machine only, as it has no certificate. */
export const url = (scheme: 'http' | 'ws') =>
  z.string().refine((value) => {
    const parsed = URL.parse(value);
    if (!parsed) return false;
    const { protocol, hostname } = parsed;
    return protocol === `${scheme}s:` || (protocol === `${scheme}:` && isLoopback(hostname));
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

export const phoneNumber = z.looseObject({ value: z.string() });

const identifierModel = z.looseObject({
  rawId: z.string().nullish(),
  phoneNumber: phoneNumber.nullish(),
  communicationUser: z.looseObject({ id: z.string() }).nullish(),
  microsoftTeamsUser: z.looseObject({ userId: z.string() }).nullish(),
  microsoftTeamsApp: z.looseObject({ appId: z.string() }).nullish(),
});

/** The first that is there makes the id; its prefixes are those of Microsoft's page on identifiers. */
const rawIdOf = (model: z.output<typeof identifierModel>) =>
  model.rawId ??
  prefixed('4:', model.phoneNumber?.value) ??
  model.communicationUser?.id ??
  prefixed('8:orgid:', model.microsoftTeamsUser?.userId) ??
  prefixed('28:orgid:', model.microsoftTeamsApp?.appId);

const prefixed = (prefix: string, id: string | undefined) => (id === undefined ? undefined : prefix + id);

/** A participant. JavaScript's SDK sends a raw id; others may leave it out. */
export const identifier = identifierModel.transform((model, context) => {
  const rawId = rawIdOf(model);
  if (rawId === undefined) context.addIssue('has to have a rawId, or what it is made of');
  return { ...model, rawId: rawId ?? z.NEVER };
});

/** Somebody new: the id says everything about them. */
export const newcomer = identifier.transform(({ rawId }) => parseIdentifier(rawId.replace(/^4:(?=\+)/, '')));

/** A request about one participant. */
export const targetRequest = z.looseObject({
  targetParticipant: identifier,
  operationContext: z.string().nullish(),
});
