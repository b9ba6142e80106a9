// Loaded into the app with --import: puts the handler that plays in the place of its own.

import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    if (!resolved.url.endsWith('/src/handler.ts')) return resolved;
    return next(new URL('play-handler.ts', import.meta.url).href, context);
  },
});
