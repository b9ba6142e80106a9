// For a process under test: at its end it names on stderr every module that it asked for.

import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

const urls = new Set<string>();
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    urls.add(resolved.url);
    return resolved;
  },
});
process.on('exit', () => writeSync(2, [...urls].join('\n')));
