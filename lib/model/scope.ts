/** What a key may do; each may do what those before it may. */
export const scopes = ['read', 'submit', 'operate', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Whether a text names a scope. */
export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}

/** Whether a key of one scope may do what needs another. */
export function allows(held: Scope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed);
}
