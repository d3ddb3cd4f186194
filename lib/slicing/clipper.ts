export type Clipper2 = typeof import('clipper2-ts', { with: { 'resolution-mode': 'import' }});
