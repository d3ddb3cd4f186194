/** The scopes of keys; each includes those before it. */
export const scopes = ['read', 'submit', 'operate', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Whether a text names a scope. */
export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}

/** Whether a key with one scope may do what requires another. */
export function allows(held: Scope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed);
}
