import { type Photo, photoTypeOf } from '../../model/photo';
import { PhotoFailedError } from '../driver';
import { isObject, listOf, objectOf, textOf } from '../values';
import { type HttpAddress, httpGet, httpGetBytes } from './http';

/** Larger than the pictures of any printer's camera (bytes). */
const mostBytes = 5 * 1024 * 1024;
/** Moonraker itself serves no pictures: a path belongs to the web server beside it. */
const moonrakerPort = 7125;

/**
 * Takes a picture with the printer's first camera; null if Moonraker has none.
 *
 * The printer supplies the address of its pictures, but is not trusted: only its own host is contacted, whatever the
 * address in the list, without credentials, and the result must be a JPEG or a PNG.
 *
 * @throws PhotoFailedError or PrinterUnavailableError there is a camera, but it gave no picture
 */
export async function takeSnapshot(address: HttpAddress, signal: AbortSignal): Promise<Photo | null> {
  const list = await httpGet(address, '/server/webcams/list', signal);
  // Moonraker supports cameras since 2022, and only with the component for them.
  if (list.status === 404) return null;
  if (list.status !== 200) throw new PhotoFailedError(`The list of cameras was answered with HTTP ${list.status}.`);
  const base = webAddress(address);
  // A path is relative to the address of the printer, whichever server that is.
  const below = (url: string): string => (/^\/(?!\/)/.test(url) ? `${address.prefix ?? ''}${url}` : url);
  const urls = snapshotUrls(list.body).map((url) => absolute(below(url), base));
  if (urls.length === 0) return null;
  const own = urls.find((url) => url?.hostname === base.hostname && /^https?:$/.test(url.protocol));
  if (!own) {
    throw new PhotoFailedError(
      `The camera is not at ${base.hostname}, the address of the printer, which alone is asked for pictures.`,
      "Give the camera's snapshot URL without a host, as /webcam/?action=snapshot.",
    );
  }
  const bytes = await httpGetBytes(
    { ...address, port: portOf(own), tls: own.protocol === 'https:', apiKey: undefined, prefix: undefined },
    own.pathname + own.search,
    { signal, mostBytes },
  );
  const type = photoTypeOf(bytes);
  if (!type) throw new PhotoFailedError('What the camera sent is neither a JPEG nor a PNG.');
  return { bytes, type };
}

/** Resolves a path in the list. */
export function webAddress({ host, port, tls }: Pick<HttpAddress, 'host' | 'port' | 'tls'>): URL {
  const name = host.includes(':') ? `[${host}]` : host;
  return new URL(`${tls ? 'https' : 'http'}://${name}${port === moonrakerPort ? '' : `:${port}`}/`);
}

/** The addresses of pictures, in the order of the list; without one a camera has only a stream. */
function snapshotUrls(body: string): string[] {
  const cameras = listOf(objectOf(objectOf(parsed(body)).result).webcams).filter(isObject);
  return cameras
    .filter(({ enabled }) => enabled !== false)
    .flatMap((camera) => textOf(camera.snapshot_url)?.trim() || []);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new PhotoFailedError('The list of cameras is no JSON.', undefined, error);
  }
}

function absolute(url: string, base: URL): URL | undefined {
  return URL.canParse(url, base) ? new URL(url, base) : undefined;
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
