import type { Logger } from '../log.ts';
import type { CallIds } from './acs-client.ts';

/** Where the ids of a call may come from, least trusted first. */
const sources = ['nowhere', 'header', 'event', 'answer'] as const;
type Source = (typeof sources)[number];

export type Identity = ReturnType<typeof createIdentity>;

/**
 * Which of ACS's calls a call is, as far as it is known, and the log that says so in each line. A socket's headers say which call it is, unverified [U]; an event says it too; what `answerCall` returned is
 * final. Each overrules the ones before it.
 */
export function createIdentity(id: string, parent: Logger) {
  let ids: Partial<CallIds> = {};
  let source: Source = 'nowhere';
  let log = parent.child({ call: id });

  return {
    get ids() {
      return ids;
    },
    get log() {
      return log;
    },
    /** Whether these ids are of another call than this one is known to be. */
    contradicts: ({ callConnectionId }: Partial<CallIds>, from: Source) =>
      source !== 'nowhere' &&
      sources.indexOf(source) >= sources.indexOf(from) &&
      callConnectionId !== undefined &&
      callConnectionId !== ids.callConnectionId,
    /** Takes ids from a source that is trusted more than the one before. */
    learn(found: Partial<CallIds>, from: Source) {
      if (!found.callConnectionId || sources.indexOf(from) <= sources.indexOf(source)) return;
      source = from;
      ids = { ...ids, ...found };
      const { callConnectionId, correlationId } = ids;
      log = parent.child({ call: id, callConnectionId, correlationId });
    },
  };
}
