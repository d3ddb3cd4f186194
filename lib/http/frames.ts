/**
 * The headers that keep a page out of frames of other sites, where a click on something else would be a click on "the bed is
 * clear".
 *
 * @param others origins whose pages may frame it, with blanks between them, as `https://home.example.org`
 */
export function frameHeaders(others = process.env['PLATEWISE_FRAMES'] ?? ''): Record<string, string> {
  const permitted = others.split(/[\s,]+/).filter((one) => /^https?:/.test(one) && URL.canParse(one));
  return {
    'content-security-policy': ["frame-ancestors 'self'", ...permitted.map((one) => new URL(one).origin)].join(' '),
    // X-Frame-Options cannot name other origins, and would shut out those that are permitted.
    ...(permitted.length === 0 && { 'x-frame-options': 'SAMEORIGIN' }),
  };
}

/**
 * Takes back what lets pages of any site read an answer: Node-RED up to version 4 permits it for everything that comes from the
 * root of its editor. A farm whose owner permits it (`httpNodeCors`) is not concerned: the `http in` node says so later.
 */
export function closeToOtherSites(response: { removeHeader(name: string): void }): void {
  response.removeHeader('access-control-allow-origin');
}
