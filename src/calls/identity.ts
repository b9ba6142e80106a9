import type { Logger } from '../log.ts';
import type { CallTags, Telemetry } from '../telemetry/telemetry.ts';
import type { CallIds } from './acs-client.ts';

/**
 * Where the ids of a call may come from, least trusted first: a socket's headers, unverified [U]; Event Grid's
 * announcement; an event of ACS's; what `answerCall` returned.
 */
const sources = ['header', 'announcement', 'event', 'answer'] as const;
type Source = (typeof sources)[number];

const names = ['callConnectionId', 'correlationId', 'serverCallId'] as const satisfies (keyof CallIds)[];

export type Identity = ReturnType<typeof createIdentity>;

/**
 * Which of ACS's calls a call is, as far as it is known, and the log that says so in each line. A source overrules
 * those that are trusted less, and what one leaves open stays as it was.
 *
 * @param within runs what makes requests that carry the ids
 */
export function createIdentity(id: string, parent: Logger, within: Telemetry['within']) {
  const trust = new Map<keyof CallIds, number>();
  let ids: Partial<CallIds> = {};
  let log = parent.child({ call: id });
  const tags: CallTags = {
    call: id,
    get callConnectionId() {
      return ids.callConnectionId;
    },
    get correlationId() {
      return ids.correlationId;
    },
  };

  const trustIn = (name: keyof CallIds) => trust.get(name) ?? -1;

  /** Whether these ids are of another call than this one is known to be. */
  function contradicts({ callConnectionId }: Partial<CallIds>, from: Source): boolean {
    return (
      callConnectionId !== undefined &&
      ids.callConnectionId !== undefined &&
      ids.callConnectionId !== callConnectionId &&
      trustIn('callConnectionId') >= sources.indexOf(from)
    );
  }

  /** Forgets what came with a connection id that turned out to be another call's. */
  function forget(): void {
    const mistaken = trustIn('callConnectionId');
    for (const name of names) {
      if (trustIn(name) !== mistaken) continue;
      trust.delete(name);
      ids = { ...ids, [name]: undefined };
    }
  }

  return {
    get ids() {
      return ids;
    },
    /** By what its records are found: always what is known at the moment. */
    tags,
    get log() {
      return log;
    },
    contradicts,
    /** Takes what a source knows and no better one has said. One that means another call is not believed at all. */
    learn(found: Partial<CallIds>, from: Source): void {
      if (contradicts(found, from)) return;
      const { callConnectionId } = found;
      if (callConnectionId && ids.callConnectionId && callConnectionId !== ids.callConnectionId) forget();
      const news = names.filter((name) => found[name] && trustIn(name) < sources.indexOf(from));
      if (news.length === 0) return;
      for (const name of news) {
        trust.set(name, sources.indexOf(from));
        ids = { ...ids, [name]: found[name] };
      }
      log = parent.child({ ...tags });
    },
    /** Runs what makes requests about this call. */
    within: <T>(run: () => T): T => within(tags, run),
  };
}
