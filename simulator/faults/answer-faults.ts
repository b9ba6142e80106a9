import type { Answer } from '../http/http.ts';
import { RestError } from '../http/rest-error.ts';
import type { AnswerFault } from './faults.ts';
import { answerFaultSchema } from './faults.ts';

const MAX_WAITING = 1_000; // of each operation

/** What is to go wrong with the next answers of REST operations. */
export interface AnswerFaults {
  /** Spoils the next answers of an operation. The function takes back what is left of it. */
  failNext(operation: string, fault?: AnswerFault): () => void;
  /** What goes wrong with this answer. */
  next(operation: string): AnswerFault | undefined;
}

export function createAnswerFaults(): AnswerFaults {
  const waiting = new Map<string, (AnswerFault & { times: number })[]>();

  return {
    failNext(operation, fault = {}) {
      const queue = waiting.get(operation) ?? [];
      if (queue.length >= MAX_WAITING)
        throw new RestError(409, 'Conflict', `No more than ${MAX_WAITING} faults wait for an operation.`);
      const spoiled = answerFaultSchema.parse(fault);
      queue.push(spoiled);
      waiting.set(operation, queue);
      return () => {
        const at = queue.indexOf(spoiled);
        if (at >= 0) queue.splice(at, 1);
      };
    },
    next(operation) {
      const queue = waiting.get(operation);
      const fault = queue?.[0];
      if (!fault) return undefined;
      fault.times -= 1;
      if (fault.times === 0) queue.shift();
      return fault;
    },
  };
}

const isSpoiled = (fault?: AnswerFault) => fault?.status !== undefined || fault?.cut === true;

/** Whether the operation takes effect all the same. */
export const isApplied = (fault?: AnswerFault) => fault?.applied ?? !isSpoiled(fault);

/** An answer as the fault has it. */
export function spoil(answer: Answer, fault?: AnswerFault): Answer {
  if (!fault) return answer;
  const { status = answer.status, headers = answer.headers ?? {}, cut = false } = fault;
  const error = { error: { code: String(status), message: 'A fault that the simulator was told to make.' } };
  const body = 'body' in fault ? fault.body : isSpoiled(fault) ? error : answer.body;
  return { ...answer, status, headers, body, cut };
}
