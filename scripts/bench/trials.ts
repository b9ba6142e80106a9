import type { CallsFor } from './app.ts';
import { echoedCalls, playedCalls } from './calls.ts';
import { compare, type Round, type Trial } from './compare.ts';
import type { Entrant } from './entrants.ts';
import { measureFresh } from './fresh.ts';
import { frames, type Load, refusals, upgrades } from './load.ts';
import { measureLoad } from './measure.ts';
import type { MeasureOptions } from './options.ts';
import type { Subject } from './subject.ts';

interface Started extends Entrant {
  subject: Subject;
}

const can = (what: Entrant['can'][number]) => (entrant: Entrant) => entrant.can.includes(what);

/** Starts all of them, each in a process of its own, and measures in turn what each of them can do. */
export async function measureEntrants(
  entrants: readonly Entrant[],
  options: MeasureOptions,
): Promise<Round[]> {
  const { width, calls } = options;
  const echoing = await startAll(entrants, 'echo');
  const playing = await startAll(entrants.filter(can('play')), 'play');

  const trial = (name: string, load: Load, width: number, of: readonly Started[]): Trial => ({
    name,
    measures: of.map(({ name, subject }) => ({
      name,
      run: () => measureLoad(subject, load, { ...options, width }),
    })),
  });
  const fresh = entrants.map(({ name, start }) => ({
    name,
    run: () => measureFresh(() => start('echo'), options),
  }));
  const trials = [
    trial('upgrades', upgrades, width, echoing),
    trial('refusals', refusals, width, echoing.filter(can('refuse'))),
    trial('frames', frames, width, echoing),
    trial('calls', echoedCalls, calls, echoing),
    trial('played', playedCalls, calls, playing),
    { name: 'fresh', isFresh: true, measures: fresh },
  ];
  try {
    return await compare({ ...options, trials });
  } finally {
    await Promise.all([...echoing, ...playing].map(({ subject }) => subject.server.stop()));
  }
}

const startAll = (entrants: readonly Entrant[], callsFor: CallsFor): Promise<Started[]> =>
  Promise.all(entrants.map(async (entrant) => ({ ...entrant, subject: await entrant.start(callsFor) })));
