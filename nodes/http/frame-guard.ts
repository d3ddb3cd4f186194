import type { NextFunction, Request, Response } from 'express';
import { frameHeaders } from '../../lib/http/frames';

/**
 * Keeps other sites from framing dashboards. @param dashboards returns their current paths
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
