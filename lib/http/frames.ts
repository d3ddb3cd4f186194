/**
 * Returns the headers that prevent other sites from framing a page, where a click on something else could become a click on "the bed is
 * clear".
 *
 * @param others origins whose pages may frame it, separated by blanks, such as `https://home.example.org`
 */
export function frameHeaders(others = process.env['PLATEWISE_FRAMES'] ?? ''): Record<string, string> {
  const permitted = others.split(/[\s,]+/).filter((one) => /^https?:/.test(one) && URL.canParse(one));
  return {
    'content-security-policy': ["frame-ancestors 'self'", ...permitted.map((one) => new URL(one).origin)].join(' '),
    // X-Frame-Options cannot name other origins, and would exclude those that are permitted.
    ...(permitted.length === 0 && { 'x-frame-options': 'SAMEORIGIN' }),
  };
}

/**
 * Removes the header that lets pages of any site read an answer: Node-RED up to version 4 sends it for everything below the
 * root of its editor. It does not affect an owner's `httpNodeCors`: the `http in` node sets that header later.
 */
export function closeToOtherSites(response: { removeHeader(name: string): void }): void {
  response.removeHeader('access-control-allow-origin');
}
