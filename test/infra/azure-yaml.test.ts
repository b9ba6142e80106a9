// azure.yaml and the workflow that runs it, as azd and GitHub read them.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse as parseYaml } from 'yaml';

const project = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(project, file), 'utf8');

/** azd's own schema. Those of its extensions, which it refers to by URL, say nothing of App Service: anything passes. */
function createValidator() {
  const text = readFileSync(join(import.meta.dirname, 'data/azure.yaml.schema.json'), 'utf8');
  const validator = new Ajv2019({ strict: false, allErrors: true });
  for (const url of new Set(Array.from(text.matchAll(/"\$ref": "(https:[^"#]+)/g), ([, url]) => url))) {
    validator.addSchema({ $id: url ?? assert.fail() });
  }
  return validator.compile(JSON.parse(text));
}

describe('azure.yaml', () => {
  const parse = (file: string): Record<string, unknown> => parseYaml(read(file));

  test('is what the schema of azd allows', () => {
    const validate = createValidator();
    const azure = parse('azure.yaml');
    assert.ok(validate(azure), JSON.stringify(validate.errors));
    assert.ok(
      !validate({ ...azure, services: { app: { project: '.' } } }),
      'the schema misses what is missing',
    );
    assert.ok(!validate({ ...azure, workflows: { up: { steps: ['provision'] } } }), 'and knows a step');
  });

  test('azd up: no subscription before the app is there, then the app, then the subscription', () => {
    const azure = parse('azure.yaml');
    assert.deepEqual(azure.workflows, {
      up: {
        steps: [
          { azd: 'env set INCOMING_CALLS_READY false' },
          { azd: 'provision' },
          { azd: 'deploy --all' },
          { azd: 'env set INCOMING_CALLS_READY true' },
          { azd: 'provision' },
        ],
      },
    });
    assert.deepEqual(azure.services, { app: { project: '.', host: 'appservice', language: 'ts' } });
    assert.deepEqual(azure.requiredVersions, { azd: '>= 1.31.2' });
  });

  test('the deployment on GitHub hands over every parameter but the one that azd up sets, and no secret', () => {
    const parameters = Array.from(
      read('infra/main.parameters.json').matchAll(/\$\{(\w+)\}/g),
      ([, name]) => name,
    );
    const text = read('.github/workflows/azure-dev.yml');
    const workflow = parse('.github/workflows/azure-dev.yml');
    assert.deepEqual(workflow.permissions, { contents: 'read', 'id-token': 'write' });
    assert.doesNotMatch(text, /secrets\./);
    const variables = Array.from(
      text.matchAll(/^ {6}(\w+): \$\{\{ vars\.(\w+) \}\}$/gm),
      ([, name, source]) => {
        assert.equal(name, source);
        return name;
      },
    );
    const signIn = ['AZURE_CLIENT_ID', 'AZURE_SUBSCRIPTION_ID', 'AZURE_TENANT_ID'];
    const wanted = [...parameters.filter((name) => name !== 'INCOMING_CALLS_READY'), ...signIn];
    assert.deepEqual(variables.sort(), wanted.sort());
  });

  test('the README has a row for each parameter but that one', () => {
    const parameters = Array.from(
      read('infra/main.parameters.json').matchAll(/\$\{(\w+)\}/g),
      ([, name]) => name,
    );
    const [, table = ''] = /^## On Azure\n([\s\S]*?)\n#/m.exec(read('README.md')) ?? [];
    const rows = Array.from(table.matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name);
    assert.deepEqual(rows.sort(), parameters.filter((name) => name !== 'INCOMING_CALLS_READY').sort());
  });

  test('a variable that GitHub has no value for is unset, so that the default of the template holds', () => {
    const script = /^ {8}run: \|\n((?: {10}.*\n)+)/m.exec(read('.github/workflows/azure-dev.yml'))?.[1];
    assert.match(script ?? '', /^ +azd up --no-prompt$/m);
    const env = { PATH: process.env.PATH, ACS_AUTH: '', LOG_RETENTION_DAYS: '', APP_SERVICE_SKU: 'P1v3' };
    const seen = execFileSync('bash', ['--norc', '-ec', `azd() { env; }\n${script}`], {
      env,
      encoding: 'utf8',
    });
    assert.match(seen, /^APP_SERVICE_SKU=P1v3$/m);
    assert.doesNotMatch(seen, /^(ACS_AUTH|LOG_RETENTION_DAYS)=/m);
  });

  test('at its end azd up says what is left to do', () => {
    const said = /posix:\n +shell: sh\n +run: (.+)\n/.exec(read('azure.yaml'))?.[1] ?? '';
    const env = { PATH: process.env.PATH, NEXT_STEP: 'Call (now); $HOME' };
    assert.equal(execFileSync('sh', ['-c', said], { env, encoding: 'utf8' }), 'Call (now); $HOME\n');
  });
});
