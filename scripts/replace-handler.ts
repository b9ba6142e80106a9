import { registerHooks } from 'node:module';

const shipped = new URL('../src/handler.ts', import.meta.url).href;

/** Has the app take another file for its handler. To be called before the app is loaded. */
export function replaceHandler({ href }: URL): void {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      return resolved.url === shipped ? { ...resolved, url: href } : resolved;
    },
  });
}
