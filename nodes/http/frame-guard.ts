import type { NextFunction, Request, Response } from 'express';
import { frameHeaders } from '../../lib/http/frames';

/**
 * Keeps dashboards out of frames of other sites.
 * @param dashboards their paths, as they are now
 */
export function guardFrames(
  dashboards: () => readonly string[],
): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    const inside = (path: string): boolean => request.path === path || request.path.startsWith(`${path}/`);
    if (dashboards().some(inside)) response.set(frameHeaders());
    next();
  };
}
