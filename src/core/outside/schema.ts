// What checks values from outside, such as the schemas of zod, said without them: who uses halomesh's types needs no others.

/** What is wrong with a value: what it should have been, by the code of the rule that it breaks. */
export interface SchemaIssue {
  readonly code?: string;
  /** Kind of value that a rule on kinds wants. */
  readonly expected?: string;
  /** Values of which one is wanted. */
  readonly values?: readonly unknown[];
  /** Kind of value whose bound is broken. */
  readonly origin?: string;
  readonly inclusive?: boolean;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  /** Keys that are not known. */
  readonly keys?: readonly string[];
}

/** The same once it is told: where in the value it is, and in words. */
export interface SchemaFault extends SchemaIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Given to a rule of one's own. */
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Checks a value; `error` says in words what a rule that says nothing itself expected. */
export interface Schema<T> {
  safeParse(
    value: unknown,
    words: { readonly error: (issue: SchemaIssue) => string },
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly SchemaFault[] } };
}
