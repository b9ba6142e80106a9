import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Handler } from '../src/calls/call.ts';
import { events, metrics } from '../src/telemetry/names.ts';
import { startApp } from './support/app.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const handlers = [...readme.matchAll(/```ts\n([^`]*export (?:async )?function handler[\s\S]*?)```/g)];

/** A handler as it stands in the README, for a user to copy. */
async function handlerNumber(t: TestContext, index: number): Promise<Handler> {
  const folder = await mkdtemp(join(tmpdir(), 'callgate-readme-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'handler.ts');
  await writeFile(file, handlers[index]?.[1] ?? '');
  const { handler } = await import(pathToFileURL(file).href);
  return handler;
}

describe('a handler in the README', () => {
  it('is one of three', () => {
    assert.equal(handlers.length, 3);
  });

  it('the echo: is the one that ships', async () => {
    const shipped = await readFile(new URL('../src/handler.ts', import.meta.url), 'utf8');
    const code = (text: string) =>
      text
        .replaceAll(/^\s*(\/\/|\/\*\*).*$/gm, '')
        .replaceAll(/\s+/g, ' ')
        .trim();
    assert.equal(code(handlers[0]?.[1] ?? ''), code(shipped));
  });

  it('is formatted as npm run check wants it', () => {
    for (const [, text = ''] of handlers) {
      const biome = ['node_modules/@biomejs/biome/bin/biome', 'format', '--stdin-file-path=src/handler.ts'];
      const { stdout } = spawnSync(process.execPath, biome, { input: text, encoding: 'utf8' });
      assert.equal(stdout, text);
    }
  });

  it('the prompt: is heard to its end by who listens, and hangs up', async (t) => {
    const { simulator } = await startApp(t, { handler: await handlerNumber(t, 1) });
    const call = simulator.placeCall({ sound: 'silence' });
    await call.until('request', ({ operation }) => operation === 'terminate');
    const { media } = await call.ended;
    assert.equal(media?.stops, 0);
    assert.ok(media && media.heardMs >= 2900, `${media?.heardMs} ms of 3000 were heard`);
  });

  it('the prompt: is cut off by who speaks', async (t) => {
    const { simulator } = await startApp(t, { handler: await handlerNumber(t, 1) });
    const call = simulator.placeCall({ sound: 'speech' });
    const { media } = await call.ended;
    assert.ok(media && media.stops > 0);
    assert.ok(media.heardMs < 2500, `${media.heardMs} ms were heard`);
  });

  it('the menu: transfers to who is under the key, and says so if nobody is', async (t) => {
    const { simulator } = await startApp(t, { handler: await handlerNumber(t, 2) });
    const call = simulator.placeCall({ sound: 'silence', digits: '92' });
    const request = await call.until('request', ({ operation }) => operation === 'transferToParticipant');
    assert.match(JSON.stringify(request.body), /\+15550102/);
    await call.until('event', ({ event }) => event.endsWith('CallTransferAccepted'));
    await call.ended;
  });

  it('the menu: goes on if the transfer fails', async (t) => {
    let heard = () => {};
    const { simulator } = await startApp(t, { handler: await handlerNumber(t, 2) });
    const call = simulator.placeCall({
      sound: 'silence',
      digits: '1',
      transfer: 'failed',
      onFrame: () => heard(),
    });
    await call.until('event', ({ event }) => event.endsWith('CallTransferFailed'));
    await new Promise<void>((resolve) => {
      heard = resolve;
    });
    call.hangUp();
    assert.match(String((await call.ended).outcome), /hung up/);
  });
});

describe('the README', () => {
  it('links to files that exist', async () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, path]) => path ?? '');
    assert.ok(links.length > 5);
    for (const path of links) await access(new URL(`../${path}`, import.meta.url));
  });

  it('has every event with its keys, and every metric, and no other', () => {
    const section = readme.split('## What you can see')[1]?.split('\n## ')[0] ?? '';
    const rows = [...section.matchAll(/^\| `(.+?)` \|(.+)\|$/gm)].map(([, name = '', rest = '']) => ({
      name,
      cells: rest.split(' | ').map((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, key]) => key)),
    }));
    const told = rows.filter(({ name }) => name in events);
    assert.deepEqual(
      told.map(({ name, cells: [, properties, measurements] }) => [name, { properties, measurements }]),
      Object.entries(events),
    );
    const counted = rows.filter((row) => !told.includes(row));
    assert.deepEqual(
      counted.map(({ name }) => name),
      Object.values(metrics),
    );
  });

  it('shows the query for a call as it is, and leads to the other questions', async () => {
    const queries = new URL('../infra/queries/', import.meta.url);
    const shown = /```kusto\n([\s\S]*?)```/.exec(readme)?.[1];
    assert.equal(shown, await readFile(new URL('call.kql', queries), 'utf8'));
    for (const name of await readdir(queries)) {
      if (!name.startsWith('alert-')) assert.ok(readme.includes(`(infra/queries/${name})`), name);
    }
  });

  it('has every variable of the configuration, and each in .env.example is one', async () => {
    const config = await readFile(new URL('../src/config.ts', import.meta.url), 'utf8');
    const names = new Set([...config.matchAll(/'([A-Z]+(?:_[A-Z]+)+|PORT)'/g)].map(([, name]) => name ?? ''));
    assert.ok(names.size >= 19);
    for (const name of names) assert.match(readme, new RegExp(`\`${name}\``), name);

    const example = await readFile(new URL('../.env.example', import.meta.url), 'utf8');
    for (const [, name] of example.matchAll(/^(?:# )?([A-Z_]+)=/gm)) assert.ok(names.has(name ?? ''), name);
  });
});
