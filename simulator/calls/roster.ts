import { RestError } from '../http/rest-error.ts';
import type { Identifier } from './identifiers.ts';

/** Somebody in a call, as ACS's JSON has it. */
export interface Participant {
  identifier: Identifier;
  isMuted: boolean;
  isOnHold: boolean;
}

/** Who is in a call. Each change is told by ParticipantsUpdated. */
export interface Roster {
  all(): Participant[];
  /** @throws {RestError} 404 where there is no such participant */
  find(rawId: string): Participant;
  /** Changes at once; the function it returns tells everyone. */
  change(rawId: string, state: Partial<Pick<Participant, 'isMuted' | 'isOnHold'>>): () => void;
  /** Takes somebody in, once, or out; as `change`. */
  add(identifier: Identifier): () => void;
  remove(rawId: string): () => void;
  /** Posts who is there. */
  announce(): Promise<void>;
}

export function createRoster(
  identifiers: readonly Identifier[],
  push: (type: string, data: object) => Promise<void>,
): Roster {
  const enter = (identifier: Identifier): Participant => ({ identifier, isMuted: false, isOnHold: false });
  let everyone = identifiers.map(enter);
  let sequenceNumber = 0;

  const has = (rawId: string) => everyone.some(({ identifier }) => identifier.rawId === rawId);
  const announce = () =>
    push('ParticipantsUpdated', { participants: everyone, sequenceNumber: ++sequenceNumber });

  return {
    all: () => everyone,
    announce,
    find(rawId) {
      const found = everyone.find(({ identifier }) => identifier.rawId === rawId);
      if (!found) throw new RestError(404, '8522', 'Participant not found.');
      return found;
    },
    change(rawId, state) {
      everyone = everyone.map((one) => (one.identifier.rawId === rawId ? { ...one, ...state } : one));
      return () => void announce();
    },
    add(identifier) {
      if (!has(identifier.rawId)) everyone = [...everyone, enter(identifier)];
      return () => void announce();
    },
    remove(rawId) {
      everyone = everyone.filter(({ identifier }) => identifier.rawId !== rawId);
      return () => void announce();
    },
  };
}
