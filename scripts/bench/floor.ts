import { join } from 'node:path';
import { createSimulator } from '../../simulator/simulator.ts';
import { freePort } from '../dev-app.ts';
import { startApp } from './app.ts';
import { type Contestant, compare } from './compare.ts';
import { frames, type Load, upgrades } from './load.ts';
import { describeMachine, readLoad } from './machine.ts';
import type { MeasureOptions } from './options.ts';
import { type Processors, partProcessors } from './processors.ts';
import { type MeasuredServer, startServer } from './server.ts';
import { type Circumstances, type Summary, summarize, tabulate } from './summary.ts';

/** What the app does, against a server of nothing but ws. */
export interface FloorFigures extends Circumstances {
  upgrades: Summary;
  frames: Summary;
}

const names = ['bare ws', 'app'] as const;

/** Runs the app and the bare server, each in a process of its own, and keeps them busy in turn. */
export async function measureFloor(options: MeasureOptions): Promise<FloorFigures> {
  const { rounds, seconds, width } = options;
  const parted = partProcessors();
  const load = readLoad();
  const simulator = await createSimulator();
  const [bare, app] = await Promise.all([startBare(parted), startApp(simulator.env(), '', parted)]);
  try {
    const token = await simulator.token();
    const targetOf = ({ port }: MeasuredServer) => ({ port, path: '/ws', token });
    const contestants: Contestant<(typeof names)[number]>[] = [
      { name: 'bare ws', server: bare, target: targetOf(bare) },
      { name: 'app', server: app, target: targetOf(app) },
    ];
    const against = async (load: Load, goal: number) =>
      summarize(await compare({ ...options, contestants, load }), names, goal);
    return {
      upgrades: await against(upgrades, 0.6),
      frames: await against(frames, 1 / 1.15),
      ...{ rounds, seconds, width },
      machine: describeMachine(parted),
      loadAverage: [load, readLoad()],
    };
  } finally {
    await Promise.all([bare.stop(), app.stop()]);
    await simulator.close();
  }
}

async function startBare(parted: Processors | undefined): Promise<MeasuredServer> {
  const port = (await freePort(0)) ?? 0;
  const env = { ...process.env, PORT: String(port) };
  return startServer({ file: join(import.meta.dirname, 'bare.ts'), env, port, parted });
}

/** The figures for a person. */
export function tabulateFloor(figures: FloorFigures): string {
  const { upgrades, frames, width } = figures;
  return tabulate(names, { upgrades, frames }, figures, [
    ['bare ws', 'lets everybody in, reads no frame'],
    ['upgrade', `a good token, checked; one frame sent back; closed. ${width} at a time`],
    [
      'frame',
      `20 ms of audio, sent back with call.send. ${width} calls, one frame of each on its way at a time`,
    ],
  ]);
}
