// Loaded into the app with --import: puts the handler that plays in the place of its own.

import { replaceHandler } from '../replace-handler.ts';

replaceHandler(new URL('play-handler.ts', import.meta.url));
