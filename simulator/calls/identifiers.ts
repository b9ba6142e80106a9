import { randomBytes, randomUUID } from 'node:crypto';

/** A participant, as ACS's JSON has it. */
export interface Identifier {
  kind: 'communicationUser' | 'phoneNumber' | 'microsoftTeamsUser' | 'unknown';
  rawId: string;
  phoneNumber?: { value: string; isAnonymous?: boolean };
  communicationUser?: { id: string };
  microsoftTeamsUser?: { userId: string; isAnonymous: boolean; cloud: 'public' };
}

/**
 * An identifier from how one writes it: a phone number (`+15550100`), a user (`8:acs:…`), a Teams user (`8:orgid:…`),
 * `anonymous`, or anything else, which ACS doesn't know the kind of (a Teams resource account is `28:orgid:…`).
 */
export function parseIdentifier(written: string): Identifier {
  if (written === 'anonymous') {
    return {
      kind: 'phoneNumber',
      rawId: '4:anonymous',
      phoneNumber: { value: 'anonymous', isAnonymous: true },
    };
  }
  if (written.startsWith('+')) {
    return { kind: 'phoneNumber', rawId: `4:${written}`, phoneNumber: { value: written } };
  }
  if (written.startsWith('8:orgid:')) {
    return {
      kind: 'microsoftTeamsUser',
      rawId: written,
      // Without the latter two, the SDKs refuse the whole answer or event.
      microsoftTeamsUser: { userId: written.slice('8:orgid:'.length), isAnonymous: false, cloud: 'public' },
    };
  }
  if (written.startsWith('8:')) {
    return { kind: 'communicationUser', rawId: written, communicationUser: { id: written } };
  }
  return { kind: 'unknown', rawId: written };
}

/** A new user of the resource. */
export const createUser = (): Identifier => parseIdentifier(`8:acs:${randomUUID()}_${randomUUID()}`);

/** The names that ACS gives to a call. */
export interface CallIds {
  callConnectionId: string;
  correlationId: string;
  serverCallId: string;
  incomingCallContext: string;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** New names, of the shapes and sizes that ACS's have: the context is an unsigned token of some kilobytes. */
export function createCallIds(): CallIds {
  const conversation = `https://conv-simulator.invalid/conv/${randomBytes(16).toString('base64url')}?i=10-128&e=1`;
  return {
    callConnectionId: randomUUID(),
    correlationId: randomUUID(),
    serverCallId: Buffer.from(conversation).toString('base64url'),
    incomingCallContext: `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ cc: randomBytes(3000).toString('base64') })}.`,
  };
}
