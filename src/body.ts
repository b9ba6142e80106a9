import express, { type Request, type Response } from 'express';

/** Why a request's body could not be read; express's own error classes carry a status too. */
class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const jsonType = /^application\/(json|[\w.!#$&^-]+\+json)\s*(;|$)/i;

const emptyBody = 'The body is empty';

/** Express takes an empty body for an empty object. */
function refuseEmpty(_req: unknown, _res: unknown, body: Buffer) {
  if (body.length === 0) throw new BodyError(400, emptyBody);
}

/**
 * A reader of JSON bodies: bounded, nothing inflated.
 *
 * @param options.maxBytes longest body
 * @param options.typeRequired whether a missing content type is refused, as a wrong one is
 * @returns a function that resolves with the parsed body, and rejects with an error that carries a `status`:
 *   400, 413 or 415
 */
export function createBodyReader({ maxBytes, typeRequired }: { maxBytes: number; typeRequired: boolean }) {
  const isJson = (type: string | undefined) => (type ? jsonType.test(type) : !typeRequired);
  const parse = express.json({ limit: maxBytes, inflate: false, type: () => true, verify: refuseEmpty });

  return (req: Request, res: Response) =>
    new Promise<unknown>((resolve, reject) => {
      if (!isJson(req.headers['content-type'])) return reject(new BodyError(415, 'The body must be JSON'));
      parse(req, res, (error?: unknown) => {
        if (error) return reject(error);
        if (req.body === undefined) return reject(new BodyError(400, emptyBody));
        resolve(req.body);
      });
    });
}
