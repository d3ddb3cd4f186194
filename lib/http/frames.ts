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
    // It cannot name others.
    ...(permitted.length === 0 && { 'x-frame-options': 'SAMEORIGIN' }),
  };
}
