/**
 * An AbortSignal, by which a caller ends work early; what of it is needed where the program's types do not have it, which are those of
 * Node.js or of browsers.
 */
export type StopSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : { readonly aborted: boolean; readonly reason: unknown };
