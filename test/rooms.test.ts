import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every source file with its text, and what of this project it imports, as paths from the root. */
const files = await Promise.all(
  (await Array.fromAsync(glob('{src,simulator,scripts}/**/*.ts', { cwd: root }))).map(async (path) => {
    const text = await readFile(join(root, path), 'utf8');
    const imports = [...text.matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)].map(([, target]) =>
      relative(root, join(root, dirname(path), target ?? '')).replaceAll(sep, '/'),
    );
    return { path: path.replaceAll(sep, '/'), text, imports };
  }),
);

/** Asserts that no file of one room imports from another. */
function assertApart(from: RegExp, to: RegExp) {
  const members = files.filter(({ path }) => from.test(path));
  assert.ok(members.length > 0);
  for (const { path, imports } of members) {
    for (const target of imports) assert.doesNotMatch(target, to, `${path} imports ${target}`);
  }
}

describe('the rooms', () => {
  it('keep the two sides of the wire apart', () => {
    assertApart(/^src\//, /^(simulator|scripts|test)\//);
    assertApart(/^simulator\//, /^(src|test)\//);
  });

  it('know no more of each other than they need', () => {
    assertApart(/^src\/media\//, /^src\/(?!media\/)/);
    assertApart(/^src\/auth\//, /^src\/(?!auth\/|log\.ts|telemetry\/event\.ts)/);
    assertApart(/^src\/handler\.ts/, /^src\/(?!calls\/call\.ts)/);
  });

  it('leave the environment to those who read it', () => {
    const readers = files.filter(({ path, text }) => path.startsWith('src/') && /process\.env/.test(text));
    for (const { path } of readers) assert.match(path, /^src\/(main|config|telemetry)\.ts$/);
  });

  it('leave the SDK of ACS to one file', () => {
    const users = files.filter(
      ({ path, text }) => path.startsWith('src/') && /@azure\/communication/.test(text),
    );
    assert.deepEqual(
      users.map(({ path }) => path),
      ['src/calls/acs-client.ts'],
    );
  });

  it('leave the SDK of Application Insights to src/telemetry', () => {
    const users = files.filter(
      ({ path, text }) =>
        path.startsWith('src/') && /from '(applicationinsights|@opentelemetry\/)/.test(text),
    );
    assert.ok(users.length > 0);
    for (const { path } of users) assert.match(path, /^src\/telemetry\//);
    assertApart(/^src\/(?!telemetry[/.])/, /^src\/telemetry\/(?!(event|names|settings|telemetry)\.ts)/);
    assertApart(
      /^src\/telemetry\/(event|names|settings|telemetry)\.ts/,
      /^src\/(?!telemetry\/(event|names|settings|telemetry)\.ts)/,
    );
  });

  it('do nothing when they are imported, but for src/main.ts', async () => {
    const handles = () =>
      process.getActiveResourcesInfo().filter((name) => /Timeout|TCP|Immediate/.test(name));
    const before = handles();
    for (const { path } of files) {
      if (!path.startsWith('src/') || path === 'src/main.ts') continue;
      await import(new URL(`../${path}`, import.meta.url).href);
    }
    assert.deepEqual(handles(), before);
  });
});
