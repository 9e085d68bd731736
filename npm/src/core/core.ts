import type { EventAnswer } from "./facts.js";
import type { Calls, CallName } from "./messages.js";

/** Whom a call tells what happens, and who ends it. */
export interface CallHooks<Name extends CallName> {
  /** Told in order; a promise is waited for before the next event. Questions are answered with what it gives. */
  readonly onEvent?: (event: Calls[Name]["event"]) => EventAnswer | Promise<EventAnswer>;
  readonly signal: AbortSignal;
}

/**
 * One engine, in this realm or in a worker. Calls are made one at a time; a call that is aborted rejects only when what it
 * started has ended, so that the next one finds the engine at rest.
 */
export interface Core {
  call<Name extends CallName>(name: Name, args: Calls[Name]["args"], hooks: CallHooks<Name>): Promise<Calls[Name]["result"]>;
  /** Ends the engine and frees what it holds. */
  close(): Promise<void>;
}
