// The template as the compiler, its linter and its formatter see it, and what must be said in the source itself.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type Bicep, infra } from './bicep.ts';

const files = readdirSync(infra).filter((file) => file.endsWith('.bicep'));

/** The parts of an ARM template that are looked at here. */
interface Template {
  parameters?: Record<string, { type?: string }>;
  resources: Record<string, { '@options'?: object; properties?: { template?: Template } }>;
  outputs?: Record<string, object>;
}

export function aboutSource(bicep: () => Bicep) {
  let template: Template;

  before(async () => {
    template = JSON.parse((await bicep().compile('main.bicep')).contents ?? '{}');
  });

  const inside = (module: string): Template => {
    const inner = template.resources[module]?.properties?.template;
    assert.ok(inner, `a module named ${module}`);
    return inner;
  };

  for (const file of files) {
    test(`${file}: no error, no warning, formatted, and it says what it is for`, async () => {
      const source = readFileSync(join(infra, file), 'utf8');
      const { success, diagnostics } = await bicep().compile(file);
      assert.deepEqual(diagnostics, []);
      assert.ok(success);
      assert.equal(await bicep().format(file), source);
      assert.match(source, /^metadata description = '\S.+\.'$/m);
    });
  }

  test('the two secrets are made once and kept', () => {
    const { resources } = inside('secrets');
    const once = Object.keys(resources).filter((name) => resources[name]?.['@options']);
    assert.deepEqual(once.sort(), ['vault::callSigning', 'vault::eventGrid']);
    for (const name of once) assert.deepEqual(resources[name]?.['@options'], { onlyIfNotExists: [] });
  });

  test('what carries a secret is a secure parameter, which Azure neither shows nor keeps', () => {
    const secure = ({ parameters = {} }: Template) =>
      Object.keys(parameters).filter((name) => parameters[name]?.type === 'securestring');
    assert.deepEqual(secure(inside('secrets')), ['eventGridKey', 'callSigningKey']);
    assert.deepEqual(secure(inside('incomingCall')), ['endpointUrl', 'eventGridKey']);
  });

  test('azd: a variable for each parameter, and no output takes the name of one but INCOMING_CALLS_READY', () => {
    const mapped: Record<string, { value: string }> = JSON.parse(
      readFileSync(join(infra, 'main.parameters.json'), 'utf8'),
    ).parameters;
    assert.deepEqual(Object.keys(mapped).sort(), Object.keys(template.parameters ?? {}).sort());
    const variables = Object.values(mapped).map(({ value }) => /^\$\{([A-Z_]+)\}$/.exec(value)?.[1]);
    assert.ok(
      !variables.includes(undefined),
      'each is a variable and nothing else, so that unset means default',
    );
    const outputs = Object.keys(template.outputs ?? {});
    assert.deepEqual(
      outputs.filter((name) => variables.includes(name)),
      ['INCOMING_CALLS_READY'],
    );
  });
}
