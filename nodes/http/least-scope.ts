import type { Scope } from '../../lib/model/scope';

const questions = ['/what-if', '/jobs/preview'];
const submissions = /^\/(jobs|files)$/;
const orders =
  /^\/((jobs|printers|attempts|dead-letters|setups|closures|spools|materials|farm)\/.+|spools|materials|schedule)$/;

/**
 * What a request that brings a body needs at least, by its path below the API: it is asked for before the body is read. The
 * node that answers asks for exactly what it needs; what a flow has added to the API is open to every key here.
 */
export function leastScope(path: string): Scope {
  const plain = path.toLowerCase().replace(/\/+$/, '');
  if (questions.includes(plain)) return 'read';
  if (submissions.test(plain)) return 'submit';
  return orders.test(plain) ? 'operate' : 'read';
}
