// What leaves the machine when azd deploys: the app, and nothing that lies beside it.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { packaged } from './webappignore.ts';

const project = join(import.meta.dirname, '../..');

test('azd uploads the sources, the package files, and nothing else', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'callgate-package-'));
  t.after(() => rmSync(folder, { recursive: true }));
  copyFileSync(join(project, '.webappignore'), join(folder, '.webappignore'));
  const wanted = ['.npmrc', 'package-lock.json', 'package.json', 'src/calls/call.ts', 'src/main.ts'];
  const unwanted = [
    '.azure/dev/.env',
    '.ci/run',
    '.devcontainer/devcontainer.json',
    '.env',
    '.env.local',
    '.git/config',
    '.github/workflows/azure-dev.yml',
    'README.md',
    'azure.yaml',
    'call.wav',
    'docs/main.ts',
    'infra/main.bicep',
    'key.pem',
    'node_modules/express/package.json',
    'scripts/dev.ts',
    'simulator/main.ts',
    'simulator/src/main.ts',
    'src/.env',
    'src/.env.local',
    'test/main.test.ts',
    'test/package.json',
  ];
  for (const file of [...wanted, ...unwanted]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  assert.deepEqual(packaged(folder), wanted);
});

test('of this project, too', () => {
  const files = packaged(project);
  assert.deepEqual(files.slice(0, 3), ['.npmrc', 'package-lock.json', 'package.json']);
  for (const file of files.slice(3)) assert.match(file, /^src\//);
});
